import type { StoreGet } from '../../dialects/store-exchange.ts';
import type { PlainObject, SealedObject } from '../../formats/sx1/stored.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { anotherRange, ObjectReplaced, pinned } from '../../store/pin.ts';
import type { StoredContent } from '../../store/store.ts';
import type { ByteRange } from '../../wire/range.ts';
import type { OperationContext } from '../context.ts';

/**
 * More stored bytes of an object that was identified; they hold the range, or more when the backend likes. Without a
 * range: all of it.
 * @throws ObjectReplaced, GatewayError BackendError for another range
 */
export async function pinnedGet(
  objectRef: ObjectRef,
  { stored }: SealedObject | PlainObject,
  range: ByteRange | undefined,
  { store, signal }: OperationContext,
): Promise<StoredContent> {
  const { etag, versionId, storedBytes } = stored;
  const ref = { ...objectRef, versionId: objectRef.versionId ?? versionId };
  const get: StoreGet = { ref, range, conditions: { ifMatch: `"${etag}"` } };
  const content = await pinned(store.get(get, signal));
  const same = content.object.etag === etag && content.object.storedBytes === storedBytes;
  const { first, last } = storedRangeOf(content);
  const { first: from, last: to } = range ?? { first: 0, last: storedBytes - 1 };
  if (same && first <= from && last >= to) return content;
  content.discard();
  throw same ? anotherRange() : new ObjectReplaced();
}

/** Of the bytes on their way. */
export function storedRangeOf({ object }: StoredContent): ByteRange {
  return object.storedRange ?? { first: 0, last: object.storedBytes - 1 };
}
