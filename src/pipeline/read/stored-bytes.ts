import type { StoreGet } from '../../dialects/store-exchange.ts';
import type { IdentifiedObject } from '../../formats/format.ts';
import type { StoredSpan } from '../../formats/object-details.ts';
import { anotherRange, ObjectReplaced, pinned } from '../../store/pin.ts';
import type { StoredContent } from '../../store/store.ts';
import type { ByteRange } from '../../wire/range.ts';
import type { OperationContext } from '../context.ts';

/**
 * Gets all stored bytes of an identified object. If they are arriving already they are taken; otherwise a request that
 * is pinned to the object asks for them.
 * @throws ObjectReplaced, or GatewayError BackendError where the backend sends another range
 */
export async function allBytes(
  object: IdentifiedObject,
  coming: StoredContent | undefined,
  context: OperationContext,
): Promise<StoredContent> {
  const all = { first: 0, last: object.stored.storedBytes - 1 };
  if (coming !== undefined && holds(storedRangeOf(coming), all)) return coming;
  coming?.discard();
  return pinnedGet(object, undefined, context);
}

/**
 * Gets the stored bytes of a span of an identified object. If they are arriving already they are taken; otherwise a
 * request that is pinned to the object asks for them.
 * @throws ObjectReplaced, or GatewayError BackendError where the backend sends another range
 */
export async function spanBytes(
  object: IdentifiedObject,
  span: StoredSpan,
  coming: StoredContent | undefined,
  context: OperationContext,
): Promise<StoredContent> {
  if (coming !== undefined && isOfUse(coming, span)) return coming;
  coming?.discard();
  const { first, last } = span;
  const content = await pinnedGet(object, { first, last }, context);
  if (span.slackBytes > 0 || isOfUse(content, span)) return content;
  content.discard();
  throw anotherRange();
}

function isOfUse(content: StoredContent, span: StoredSpan): boolean {
  const coming = storedRangeOf(content);
  if (span.slackBytes === 0) return coming.first === span.first && coming.last === span.last;
  return holds(coming, span) && span.first - coming.first <= span.slackBytes;
}

function holds(coming: ByteRange, { first, last }: ByteRange): boolean {
  return coming.first <= first && coming.last >= last;
}

/** Sends a GET that is pinned to the object. @param range the stored bytes; undefined stands for all of them */
async function pinnedGet(
  { ref: objectRef, stored }: IdentifiedObject,
  range: ByteRange | undefined,
  { store, signal }: OperationContext,
): Promise<StoredContent> {
  const { etag, versionId, storedBytes } = stored;
  const ref = { ...objectRef, versionId: objectRef.versionId ?? versionId };
  const get: StoreGet = { ref, range, conditions: { ifMatch: `"${etag}"` } };
  const content = await pinned(store.get(get, signal));
  const same = content.object.etag === etag && content.object.storedBytes === storedBytes;
  if (same && holds(storedRangeOf(content), range ?? { first: 0, last: storedBytes - 1 })) return content;
  content.discard();
  throw same ? anotherRange() : new ObjectReplaced();
}

/** The range of stored bytes that an answer of the store brings. */
export function storedRangeOf({ object }: StoredContent): ByteRange {
  return object.storedRange ?? { first: 0, last: object.storedBytes - 1 };
}
