import type { ObjectRef } from '../../operations/object.ts';
import type { CopyObject } from '../../operations/operation.ts';
import { mostRewrittenBytes } from '../../store/mend/torn-uploads.ts';
import type { OperationContext } from '../context.ts';
import type { SourceObject } from './copy-source.ts';

/**
 * Copies of an object onto itself, by which clients change metadata. MinIO carries one out in place, on whatever object
 * stands there by then: a write that came between would be left under the envelope of the object that it replaced. So
 * the gateway asks no store for one. A small object is read and written anew, by one PUT on the condition that it is
 * still there; a larger one is copied by way of an upload, which completes on that condition.
 */

/**
 * Whether a copy that the backend could make is read and written anew instead: of a small object onto itself, and of a
 * folder marker (`dir/`) on a condition, because MinIO takes no multipart upload of such a key. A backend that judges
 * no conditions on writes (Ceph RGW 16 never finds that If-Match holds) makes it by way of an upload.
 */
export function isWrittenAnew(
  { ref, source, conditions }: CopyObject,
  { details }: SourceObject,
  { findings }: OperationContext,
): boolean {
  const conditional = (conditions.ifMatch ?? conditions.ifNoneMatch) !== undefined;
  if (!isOnePlace(ref, source.ref) && !(conditional && ref.key.endsWith('/'))) return false;
  return findings.capabilities.matchesOwnEtag && details.plaintextBytes <= mostRewrittenBytes(findings);
}

/** Whether two names may be one object: MinIO keeps `/a` and `a` as one. */
export function isOnePlace(one: ObjectRef, other: ObjectRef): boolean {
  return one.bucket === other.bucket && one.key.replace(/^\//, '') === other.key.replace(/^\//, '');
}

/** Whether the copy replaces the very object that it reads. One of an earlier version replaces another. */
export function replacesItself({ ref, source }: CopyObject, { findings }: OperationContext): boolean {
  if (!findings.capabilities.matchesOwnEtag || source.ref.versionId !== undefined) return false;
  return ref.bucket === source.ref.bucket && ref.key === source.ref.key;
}
