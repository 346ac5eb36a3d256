import type { BackendLimits } from '../../dialects/backend-limits.ts';
import type { StoredCopy } from '../../dialects/store-exchange.ts';
import type { ObjectMetadata } from '../../operations/object.ts';
import type { CopyObject } from '../../operations/operation.ts';
import { mustStillStand } from '../../store/mend/unpinned-copies.ts';
import { pinned } from '../../store/pin.ts';
import type { OperationContext } from '../context.ts';
import { copyInParts } from './copy-in-parts.ts';
import { isOnePlace } from './copy-in-place.ts';
import type { StoredSource } from './copy-source.ts';

/**
 * Has the backend copy the stored bytes, pinned to the source that was looked at. The bytes do not pass the gateway.
 * @param metadata the destination's metadata, as the backend stores them
 * @throws ObjectReplaced where the source is replaced meanwhile; GatewayError what CopyObject throws
 */
export async function copyStored(
  operation: CopyObject,
  source: StoredSource,
  metadata: ObjectMetadata,
  context: OperationContext,
): Promise<StoredCopy> {
  const { store, signal } = context;
  const { object } = source;
  const { ref, tags } = operation;
  if (needsParts(operation, source, store.limits)) return copyInParts(operation, source, metadata, context);
  const pin = { ref: source.ref, etag: object.stored.etag, encryption: await object.storeKey?.() };
  const copied = await pinned(store.copy({ ref, source: pin, metadata, tags }, signal), 'NoSuchBucket');
  // The same ETag means that the same bytes were copied. Another one may be normal, or a copy that ignored the pin.
  if (copied.etag !== object.stored.etag) await mustStillStand(pin, store, signal);
  return copied;
}

/**
 * Whether the copy is made by a multipart upload: where it is too large for one CopyObject, where it is onto itself,
 * and where it has conditions on its destination (MinIO takes none on CopyObject, but does on CompleteMultipartUpload).
 */
function needsParts(
  { ref, conditions }: CopyObject,
  { ref: from, object }: StoredSource,
  { largestCopyBytes }: BackendLimits,
): boolean {
  const conditional = conditions.ifMatch !== undefined || conditions.ifNoneMatch !== undefined;
  return conditional || object.stored.storedBytes > largestCopyBytes || isOnePlace(ref, from);
}
