import type { GetObject } from '../../operations/operation.ts';
import { ObjectReplaced, pinned } from '../../store/pin.ts';
import { only } from '../../wire/bodies/only.ts';
import type { ByteSource } from '../../wire/message.ts';
import type { ByteRange } from '../../wire/range.ts';
import type { OperationContext } from '../context.ts';
import { getPinned } from '../read/get.ts';
import type { FoundSource } from './copy-source.ts';

/**
 * The plaintext of a copy's source, or a range of it, as a GET reads it and of exactly the object that was found: the
 * first bytes are authenticated, later ones as they come. Let it go when it is not read to its end.
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

/** Harmless for one that was read to its end. */
export async function letGo(source: ByteSource): Promise<void> {
  await source[Symbol.asyncIterator]().return?.();
}
