import type { Manifest } from '../../envelope/footer.ts';
import type { Layout, Slice } from '../../envelope/layout.ts';
import { SEGMENT_BYTES } from '../../envelope/sizes.ts';
import { openSlices, openWhole } from '../../envelope/streams.ts';
import { corrupted } from '../../formats/refusals.ts';
import { layoutOf, manifestOf, openManifest, type PlainObject, type SealedObject } from '../../formats/sx1/stored.ts';
import { releaseBuffer } from '../../memory/release.ts';
import type { ObjectContent } from '../../operations/answer.ts';
import type { GetObject } from '../../operations/operation.ts';
import { anotherRange, pinned, readingAgain } from '../../store/pin.ts';
import type { StoredContent } from '../../store/store.ts';
import { collect } from '../../wire/bodies/collect.ts';
import { exactBody } from '../../wire/bodies/exact-body.ts';
import { primed } from '../../wire/bodies/first-pull.ts';
import type { ByteSource } from '../../wire/message.ts';
import type { ByteRange } from '../../wire/range.ts';
import { planPinned, planRead, type ReadPlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { firstContent } from './first-content.ts';
import { lookAt } from './look-at.ts';
import { pinnedGet, storedRangeOf } from './pinned-get.ts';
import { factsOf } from './told-facts.ts';

/** Up to here an object is read and verified whole before its status line; its footer then costs no extra request. */
const WHOLE_BYTES = 256 * 1024;

/** Up to here the answer's body is one buffer: thousands of slow readers of these hold little. */
const TINY_BYTES = 16 * 1024;

/**
 * What a streaming download holds at most: the buffers that the backend is read into (576 KiB), the segment that is opened,
 * and what of it is on its way to the client.
 */
const STREAM_RESERVE_BYTES = 768 * 1024;

/** A few segments too many at the front are cheaper than another request. Thousands of parts shift a place by as much. */
const SLACK_BYTES = 8 * SEGMENT_BYTES;

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
  const plan =
    backendEtag === undefined
      ? planRead(operation.conditions, { etags: context.policy.etag, looksAnyway: false })
      : planPinned(backendEtag);
  const release = context.budget.reserve(STREAM_RESERVE_BYTES);
  try {
    const attempt = (): Promise<ObjectContent> => attemptContent(operation, plan, context);
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

async function attemptContent(operation: GetObject, plan: ReadPlan, context: OperationContext): Promise<ObjectContent> {
  const { object, range, content } = await firstContent(
    operation,
    await judgedFirst(operation, plan, context),
    context,
  );
  try {
    if (object.kind === 'plain') return await plainContent(operation, object, content, range, context);
    return await sealedContent(operation, object, content, range, context);
  } catch (error) {
    content.discard();
    throw error;
  }
}

/** Where the plan says to look first: the plan to read the object that its conditions let pass. */
async function judgedFirst({ ref }: GetObject, plan: ReadPlan, context: OperationContext): Promise<ReadPlan> {
  return plan.how === 'look first' ? planPinned((await lookAt(ref, plan, context)).stored.etag) : plan;
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
  const { ref } = operation;
  const wantsChecksum = operation.wantsChecksum && range === undefined;
  // A multipart object's is needed for its layout and its length anyway.
  const needsManifest = wantsChecksum || object.opened.head.multipart;
  const manifest = needsManifest ? await pinned(manifestOf(object, ref, context)) : undefined;
  const layout = await pinned(layoutOf(object, ref, context));
  const facts = await factsOf(object, ref, context, { manifest, wantsChecksum });
  const slices = layout.locate(range);
  const source = await storedSource(operation, object, content, slices, context);
  return {
    kind: 'ObjectContent',
    facts,
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
  const { wantsChecksum } = operation;
  const needsManifest = wantsChecksum || object.opened.head.multipart || context.policy.etag === 'md5';
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
    facts: await factsOf(object, operation.ref, context, { manifest, wantsChecksum }),
    range: undefined,
    overrides: operation.overrides,
    body: object.claimedBytes <= TINY_BYTES ? joined(pieces) : each(pieces),
  };
}

async function plainContent(
  operation: GetObject,
  object: PlainObject,
  content: StoredContent,
  range: ByteRange | undefined,
  context: OperationContext,
): Promise<ObjectContent> {
  const facts = await factsOf(object, operation.ref, context);
  let body = content.body;
  const wanted = range ?? { first: 0, last: object.stored.storedBytes - 1 };
  if (!isExactly(wanted, content)) {
    content.discard();
    const second = await pinnedGet(operation.ref, object, range, context);
    if (!isExactly(wanted, second)) {
      second.discard();
      throw anotherRange();
    }
    body = second.body;
  }
  const exact = exactBody(body, wanted.last - wanted.first + 1);
  return { kind: 'ObjectContent', facts, range, overrides: operation.overrides, body: exact };
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
  if (coming.first <= first && first - coming.first <= SLACK_BYTES && coming.last >= last) {
    return { body: content.body, storedFirst: coming.first };
  }
  if (coming.first === 0 && coming.last === content.object.storedBytes - 1 && first <= SLACK_BYTES) {
    return { body: content.body, storedFirst: 0 };
  }
  content.discard();
  const second = await pinnedGet(operation.ref, object, { first, last }, context);
  return { body: second.body, storedFirst: storedRangeOf(second).first };
}

function isExactly(range: ByteRange, content: StoredContent): boolean {
  const { first, last } = storedRangeOf(content);
  return first === range.first && last === range.last;
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
