import type { StoreGet } from '../dialects/dialect.ts';
import type { Manifest } from '../envelope/footer.ts';
import type { Layout, Slice } from '../envelope/layout.ts';
import { SEGMENT_BYTES } from '../envelope/sizes.ts';
import { openSlices, openWhole } from '../envelope/streams.ts';
import { GatewayError } from '../errors.ts';
import { releaseBuffer } from '../memory/release.ts';
import type { ObjectContent } from '../operations/answer.ts';
import type { GetObject } from '../operations/operation.ts';
import { collect } from '../wire/collect.ts';
import type { ByteSource } from '../wire/message.ts';
import type { ByteRange } from '../wire/range.ts';
import { primed } from './primed-body.ts';
import { ObjectReplaced, pinned, readingAgain } from './replaced.ts';
import { corrupted } from './sealing.ts';
import type { OperationContext } from './services.ts';
import type { StoredContent } from './store.ts';
import {
  factsOf,
  identify,
  layoutOf,
  manifestOf,
  openManifest,
  type PlainObject,
  readConditions,
  type SealedObject,
} from './stored.ts';
import { satisfiable, storedGuess, type Wanted, wantedRange } from './wanted-range.ts';

/** Up to here an object is read and verified whole before its status line; its footer then costs no extra request. */
const WHOLE_BYTES = 256 * 1024;

/** Up to here the answer's body is one buffer: thousands of slow readers of these hold little. */
const TINY_BYTES = 16 * 1024;

/** What a streaming download holds at most: socket buffers on both sides and a few segments. */
const STREAM_RESERVE_BYTES = 512 * 1024;

/**
 * GetObject (FORMAT.md §7). The first request is made as if the object were a PutObject's, which for those is the only
 * one. A multipart object answers it with its envelope; then its footer tells where the plaintext lies, and a second
 * request, pinned to the same ETag, fetches just that.
 * @param backendEtag of the very object to read: another one is ObjectReplaced
 */
export async function getObject(
  operation: GetObject,
  context: OperationContext,
  backendEtag?: string,
): Promise<ObjectContent> {
  const release = context.services.budget.reserve(STREAM_RESERVE_BYTES);
  try {
    const attempt = (): Promise<ObjectContent> => attemptContent(operation, context, backendEtag);
    const content = await (backendEtag === undefined ? readingAgain(attempt) : attempt());
    if (content.body === undefined || Buffer.isBuffer(content.body)) {
      release();
      return content;
    }
    return { ...content, body: await primed(content.body, release) };
  } catch (error) {
    release();
    throw error;
  }
}

async function attemptContent(
  operation: GetObject,
  context: OperationContext,
  backendEtag: string | undefined,
): Promise<ObjectContent> {
  const { ref } = operation;
  const wanted = await wantedRange(operation, context, backendEtag);
  const content = await firstContent(operation, wanted, context);
  try {
    if (wanted.etag !== undefined && wanted.etag !== content.object.etag) throw new ObjectReplaced();
    const object = await identify(ref, content.object, context);
    const range = wanted.range === undefined ? undefined : satisfiable(wanted.range, object.plaintextBytes);
    if (object.kind === 'plain') return await plainContent(operation, object, content, range, context);
    return await sealedContent(operation, object, content, range, context);
  } catch (error) {
    content.discard();
    throw error;
  }
}

/** The first look at the object: its head, and the bytes that are wanted if it is what the guess takes it for. */
async function firstContent(operation: GetObject, wanted: Wanted, context: OperationContext): Promise<StoredContent> {
  const { services, signal } = context;
  const { range, etag } = wanted;
  const get: StoreGet = {
    ref: operation.ref,
    range: range === undefined ? undefined : storedGuess(range, operation.ref, context),
    conditions: etag === undefined ? readConditions(operation.conditions) : { ifMatch: `"${etag}"` },
  };
  const asked = services.store.get(get, signal);
  try {
    return await (etag === undefined ? asked : pinned(asked));
  } catch (error) {
    if (range === undefined || !isPastTheEnd(error)) throw error;
    return await pastTheGuess(operation, { range, etag }, get, context);
  }
}

/**
 * The backend's 416 speaks of stored bytes: its numbers must not reach the client, and it is no proof that the client
 * asked for too much. The object may have been cut short in the backend; or it is not sealed, and its bytes lie before
 * those of the guess.
 */
async function pastTheGuess(
  operation: GetObject,
  { range, etag }: Wanted & { readonly range: NonNullable<Wanted['range']> },
  { ref, conditions }: StoreGet,
  context: OperationContext,
): Promise<StoredContent> {
  // Where the object's bytes once lay may have led past the end of the one that is there now.
  context.services.layouts.delete(context.tenant.name, ref);
  const asked = context.services.store.head({ ref, conditions }, context.signal);
  const stored = await (etag === undefined ? asked : pinned(asked));
  const object = await identify(ref, stored, context);
  const bytes = satisfiable(range, object.plaintextBytes);
  if (object.kind === 'sealed') throw new ObjectReplaced(); // by a longer one, since the backend's answer
  return pinnedGet(operation, object, bytes, context);
}

async function sealedContent(
  operation: GetObject,
  object: SealedObject,
  content: StoredContent,
  range: ByteRange | undefined,
  context: OperationContext,
): Promise<ObjectContent> {
  const whole = range === undefined && object.stored.storedBytes <= WHOLE_BYTES;
  if (whole) return wholeContent(operation, object, content, context);
  const wantsChecksum = operation.wantsChecksum && range === undefined;
  const manifest = wantsChecksum ? await pinned(manifestOf(object, operation.ref, context)) : undefined;
  const layout = await pinned(layoutOf(object, operation.ref, context));
  const slices = layout.locate(range);
  const source = await storedSource(operation, object, content, slices, context);
  return {
    kind: 'ObjectContent',
    facts: factsOf(object, manifest),
    range,
    overrides: operation.overrides,
    body: open(object, slices, source.body, source.storedFirst, context),
  };
}

/** A small object: every byte verified before the client hears anything. */
async function wholeContent(
  operation: GetObject,
  object: SealedObject,
  content: StoredContent,
  context: OperationContext,
): Promise<ObjectContent> {
  const { storedBytes } = object.stored;
  const stored = await collect(content.body, storedBytes, () => corrupted('The backend sent more than it announced.'));
  if (stored.length !== storedBytes) throw corrupted('The backend sent less than it announced.');
  const needsManifest = operation.wantsChecksum || object.opened.head.multipart;
  const manifest: Manifest | undefined = needsManifest
    ? openManifest(object, stored, operation.ref, context)
    : undefined;
  const layout: Layout = await layoutOf(object, operation.ref, context);
  const started = performance.now();
  const { keys, head } = object.opened;
  const pieces = openWhole(stored, { keys, oid: head.oid, slices: layout.locate(undefined) });
  context.trace.openSeconds += (performance.now() - started) / 1000;
  return {
    kind: 'ObjectContent',
    facts: factsOf(object, operation.wantsChecksum ? manifest : undefined),
    range: undefined,
    overrides: operation.overrides,
    body: object.plaintextBytes <= TINY_BYTES ? joined(pieces) : each(pieces),
  };
}

async function plainContent(
  operation: GetObject,
  object: PlainObject,
  content: StoredContent,
  range: ByteRange | undefined,
  context: OperationContext,
): Promise<ObjectContent> {
  let body = content.body;
  if (range !== undefined && !isExactly(range, content)) {
    content.discard();
    const second = await pinnedGet(operation, object, range, context);
    if (!isExactly(range, second)) {
      second.discard();
      throw anotherRange();
    }
    body = second.body;
  }
  return { kind: 'ObjectContent', facts: factsOf(object), range, overrides: operation.overrides, body };
}

function open(
  object: SealedObject,
  slices: readonly Slice[],
  source: ByteSource,
  storedFirst: number,
  { trace }: OperationContext,
): ByteSource {
  const { keys, head } = object.opened;
  return openSlices(source, {
    keys,
    oid: head.oid,
    slices,
    storedFirst,
    onCipher: (seconds) => {
      trace.openSeconds += seconds;
    },
  });
}

/** The bytes that hold the slices: those already on their way if they do, else a second request for just them. */
async function storedSource(
  operation: GetObject,
  object: SealedObject,
  content: StoredContent,
  slices: readonly Slice[],
  context: OperationContext,
): Promise<{ readonly body: ByteSource; readonly storedFirst: number }> {
  const first = slices[0]?.storedFirst ?? 0;
  const last = slices.at(-1)?.storedLast ?? 0;
  const coming = storedRangeOf(content);
  // A few segments too many at the front are cheaper than another request.
  const slack = 4 * SEGMENT_BYTES;
  if (coming.first <= first && first - coming.first <= slack && coming.last >= last) {
    return { body: content.body, storedFirst: coming.first };
  }
  if (coming.first === 0 && coming.last === content.object.storedBytes - 1 && first <= slack) {
    return { body: content.body, storedFirst: 0 };
  }
  content.discard();
  const second = await pinnedGet(operation, object, { first, last }, context);
  return { body: second.body, storedFirst: storedRangeOf(second).first };
}

/** More stored bytes of the object that was identified; they hold the range, or more when the backend likes. */
async function pinnedGet(
  operation: GetObject,
  object: SealedObject | PlainObject,
  range: ByteRange,
  context: OperationContext,
): Promise<StoredContent> {
  const { etag, versionId, storedBytes } = object.stored;
  const ref = { ...operation.ref, versionId: operation.ref.versionId ?? versionId };
  const get: StoreGet = { ref, range, conditions: { ifMatch: `"${etag}"` } };
  const content = await pinned(context.services.store.get(get, context.signal));
  const same = content.object.etag === etag && content.object.storedBytes === storedBytes;
  const { first, last } = storedRangeOf(content);
  if (same && first <= range.first && last >= range.last) return content;
  content.discard();
  throw same ? anotherRange() : new ObjectReplaced();
}

/** Of the bytes on their way. */
function storedRangeOf({ object }: StoredContent): ByteRange {
  return object.storedRange ?? { first: 0, last: object.storedBytes - 1 };
}

function isExactly(range: ByteRange, content: StoredContent): boolean {
  const { first, last } = storedRangeOf(content);
  return first === range.first && last === range.last;
}

function anotherRange(): GatewayError {
  return new GatewayError('BackendError', 'The backend answered another range than it was asked for.', {
    source: 'backend',
  });
}

function isPastTheEnd(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'InvalidRange';
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}

/** Plaintext that was opened just now and is nobody else's. */
async function* each(buffers: readonly Buffer[]): AsyncGenerator<Buffer, void, void> {
  for (const buffer of buffers) {
    yield buffer;
    releaseBuffer(buffer);
  }
}
