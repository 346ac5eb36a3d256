import type { BackendLimits } from '../../dialects/backend-limits.ts';
import type { StoredCopy } from '../../dialects/store-exchange.ts';
import type { ObjectMetadata } from '../../operations/object.ts';
import type { CopyObject } from '../../operations/operation.ts';
import { mustStillStand } from '../../store/mend/unpinned-copies.ts';
import { pinned } from '../../store/pin.ts';
import type { OperationContext } from '../context.ts';
import { copyInParts } from './copy-in-parts.ts';
import { isOnePlace } from './copy-in-place.ts';
import type { SourceObject } from './copy-source.ts';

/**
 * A copy of the stored bytes within the backend, pinned to the source that was read: none of them comes this way.
 * @param metadata of the destination, as the backend stores it
 */
export async function copyStored(
  operation: CopyObject,
  source: SourceObject,
  metadata: ObjectMetadata,
  context: OperationContext,
): Promise<StoredCopy> {
  const { store, signal } = context;
  const { object } = source;
  const { ref, tags } = operation;
  if (needsParts(operation, source, store.limits)) return copyInParts(operation, source, metadata, context);
  const pin = { ref: source.ref, etag: object.stored.etag };
  const copied = await pinned(store.copy({ ref, source: pin, metadata, tags }, signal), 'NoSuchBucket');
  // The same ETag, the same bytes.
  if (copied.etag !== object.stored.etag) await mustStillStand(pin, store, signal);
  return copied;
}

/** Besides size: MinIO takes no condition on the destination of a copy, but does when an upload completes. */
function needsParts(
  { ref, conditions }: CopyObject,
  { ref: from, object }: SourceObject,
  { largestCopyBytes }: BackendLimits,
): boolean {
  const conditional = conditions.ifMatch !== undefined || conditions.ifNoneMatch !== undefined;
  return conditional || object.stored.storedBytes > largestCopyBytes || isOnePlace(ref, from);
}
