import type { StoreGet } from '../dialects/dialect.ts';
import type { Manifest } from '../envelope/footer.ts';
import type { Layout, Slice } from '../envelope/layout.ts';
import { PART_HEADER_BYTES, SEGMENT_BYTES, TAG_BYTES } from '../envelope/sizes.ts';
import { openSlices, openWhole } from '../envelope/streams.ts';
import { clientError, GatewayError } from '../errors.ts';
import type { ObjectContent } from '../operations/answer.ts';
import type { ObjectRef } from '../operations/object.ts';
import type { GetObject } from '../operations/operation.ts';
import { collect } from '../wire/collect.ts';
import type { ByteSource } from '../wire/message.ts';
import { type ByteRange, type RangeRequest, resolveRange } from '../wire/range.ts';
import { backendEtags } from './etag.ts';
import { rangeStillHolds } from './head.ts';
import { primed } from './primed-body.ts';
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

/** Up to here an object is read and verified whole before its status line; its footer then costs no extra request. */
const WHOLE_BYTES = 256 * 1024;

/** Up to here the answer's body is one buffer: thousands of slow readers of these hold little. */
const TINY_BYTES = 16 * 1024;

/** What a streaming download holds at most: socket buffers on both sides and a few segments. */
const STREAM_RESERVE_BYTES = 512 * 1024;

/** How often an object may be replaced under our reading before we give up. */
const MAX_ATTEMPTS = 3;

/** Stored bytes to ask for, before the object's structure is known. */
type StoredRange = StoreGet['range'];

/**
 * GetObject (FORMAT.md §7). The first request is made as if the object were a PutObject's, which for those is the only
 * one. A multipart object answers it with its envelope; then its footer tells where the plaintext lies, and a second
 * request, pinned to the same ETag, fetches just that.
 */
export async function getObject(operation: GetObject, context: OperationContext): Promise<ObjectContent> {
  const release = context.services.budget.reserve(STREAM_RESERVE_BYTES);
  try {
    const content = await openContent(operation, context);
    if (content.body === undefined || Buffer.isBuffer(content.body)) {
      release();
      return content;
    }
    return { ...content, body: await primed(content.body, { release, moved: context.services.moved }) };
  } catch (error) {
    release();
    throw error;
  }
}

async function openContent(operation: GetObject, context: OperationContext): Promise<ObjectContent> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptContent(operation, context);
    } catch (error) {
      // Our own pin (If-Match on a later request) failed, not the client's condition: read the new object.
      if (!(error instanceof ObjectReplaced) || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

/** The object changed between two backend requests for one client request. */
class ObjectReplaced extends GatewayError {
  constructor() {
    super('SlowDown', 'The object was replaced while it was read. Try again.', { source: 'backend' });
  }
}

async function attemptContent(operation: GetObject, context: OperationContext): Promise<ObjectContent> {
  const { services, signal } = context;
  const { ref } = operation;
  const wanted = await effectiveRange(operation, context);
  const guess = wanted === undefined ? undefined : storedGuess(wanted);
  const conditions = readConditions(operation.conditions);
  const content = await services.store.get({ ref, range: guess, conditions }, signal).catch(async (error) => {
    throw wanted !== undefined && isPastTheEnd(error) ? await whyPastTheEnd(wanted, ref, context) : error;
  });
  try {
    const object = await identify(ref, content.object, context);
    const range = wanted === undefined ? undefined : satisfiable(wanted, object.plaintextBytes);
    if (object.kind === 'plain') return await plainContent(operation, object, content, range, context);
    return await sealedContent(operation, object, content, range, context);
  } catch (error) {
    content.discard();
    throw error;
  }
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

/** A small object: every byte and the footer verified before the client hears anything. */
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
  if (range !== undefined) {
    content.discard();
    body = (await pinnedGet(operation, object, { first: range.first, last: range.last }, context)).body;
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
  const coming = content.object.storedRange ?? { first: 0, last: content.object.storedBytes - 1 };
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
  return { body: second.body, storedFirst: second.object.storedRange?.first ?? 0 };
}

async function pinnedGet(
  operation: GetObject,
  object: SealedObject | PlainObject,
  range: StoredRange,
  context: OperationContext,
): Promise<StoredContent> {
  const { etag, versionId, storedBytes } = object.stored;
  const ref = { ...operation.ref, versionId: operation.ref.versionId ?? versionId };
  const get: StoreGet = { ref, range, conditions: { ifMatch: `"${etag}"` } };
  const content = await pinned(context.services.store.get(get, context.signal));
  if (content.object.etag === etag && content.object.storedBytes === storedBytes) return content;
  content.discard();
  throw new ObjectReplaced();
}

/** A follow-up request's own precondition failing means the object was replaced in between. */
async function pinned<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    const replaced =
      error instanceof GatewayError && (error.code === 'PreconditionFailed' || error.code === 'NoSuchKey');
    throw replaced ? new ObjectReplaced() : error;
  }
}

/** The range to serve: none when If-Range says that the object is another one now; a suffix needs the size first. */
async function effectiveRange(operation: GetObject, context: OperationContext): Promise<RangeRequest | undefined> {
  const { range, ifRange, ref } = operation;
  if (range === undefined) return undefined;
  if (ifRange === undefined && range.kind === 'from') return range;
  const { store } = context.services;
  const stored = await store.head({ ref, conditions: readConditions(operation.conditions) }, context.signal);
  if (ifRange !== undefined && !rangeStillHolds(backendEtags(ifRange) ?? ifRange, stored)) return undefined;
  if (range.kind === 'from') return range;
  const object = await identify(ref, stored, context);
  const { first, last } = satisfiable(range, object.plaintextBytes);
  return { kind: 'from', first, last };
}

/** Whole segments of a PutObject object that hold the plaintext range; the backend clips what lies past the end. */
function storedGuess(range: RangeRequest): StoredRange {
  if (range.kind === 'suffix') return undefined;
  const stride = SEGMENT_BYTES + TAG_BYTES;
  const first = PART_HEADER_BYTES + Math.floor(range.first / SEGMENT_BYTES) * stride;
  if (range.last === undefined) return { first, last: undefined };
  return { first, last: PART_HEADER_BYTES + (Math.floor(range.last / SEGMENT_BYTES) + 1) * stride - 1 };
}

function satisfiable(range: RangeRequest, plaintextBytes: number): ByteRange {
  const resolved = resolveRange(range, plaintextBytes);
  if (resolved !== 'unsatisfiable') return resolved;
  throw clientError('InvalidRange', 'The requested range begins past the end of the object.', {
    details: { ActualObjectSize: String(plaintextBytes) },
  });
}

function isPastTheEnd(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'InvalidRange';
}

/**
 * The backend's 416 speaks of stored bytes: its numbers must not reach the client, and it is no proof that the client
 * asked for too much, because the object may have been cut short in the backend.
 */
async function whyPastTheEnd(wanted: RangeRequest, ref: ObjectRef, context: OperationContext): Promise<GatewayError> {
  const stored = await context.services.store.head({ ref, conditions: {} }, context.signal);
  const { plaintextBytes } = await identify(ref, stored, context);
  satisfiable(wanted, plaintextBytes);
  return new ObjectReplaced(); // by a longer one, since the backend's answer
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
}

async function* each(buffers: readonly Buffer[]): AsyncGenerator<Buffer, void, void> {
  yield* buffers;
}
