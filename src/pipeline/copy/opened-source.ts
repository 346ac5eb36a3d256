import type { GetObject } from '../../operations/operation.ts';
import { ObjectReplaced, pinned } from '../../store/pin.ts';
import { only } from '../../wire/bodies/only.ts';
import type { ByteSource } from '../../wire/message.ts';
import type { ByteRange } from '../../wire/range.ts';
import type { OperationContext } from '../context.ts';
import { getPinned } from '../read/get.ts';
import type { FoundSource } from './copy-source.ts';

/**
 * Opens the source of a copy, or a range of it, as a GET does, pinned to the object that was found. The first bytes are
 * authenticated when it returns, later ones while they are read. The caller calls `letGo` at the end in any case.
 * @throws ObjectReplaced, and what GET throws
 */
export async function openSource(
  { ref, object }: FoundSource,
  range: ByteRange | undefined,
  reading: OperationContext,
): Promise<ByteSource> {
  const get: GetObject = {
    kind: 'GetObject',
    ref,
    range: range && { kind: 'from', ...range },
    ifRange: undefined,
    conditions: {},
    overrides: {},
    wantsChecksum: false,
  };
  const { facts, body = Buffer.alloc(0) } = await pinned(getPinned(get, object.stored.etag, reading));
  const source = Buffer.isBuffer(body) ? only(body) : body;
  if (facts.plaintextBytes === (object.provenBytes ?? (await object.details()).plaintextBytes)) return source;
  await letGo(source);
  throw new ObjectReplaced();
}

/** Ends a source whether or not it was read, so that its connection and memory are given back. */
export async function letGo(source: ByteSource): Promise<void> {
  await source[Symbol.asyncIterator]().return?.();
}
