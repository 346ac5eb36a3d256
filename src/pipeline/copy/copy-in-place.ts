import type { ObjectRef } from '../../operations/object.ts';
import type { CopyObject } from '../../operations/operation.ts';
import { mostRewrittenBytes } from '../../store/mend/torn-uploads.ts';
import type { OperationContext } from '../context.ts';
import type { SourceObject } from './copy-source.ts';

/**
 * This file is about copies of an object onto itself, by which S3 clients change an object's metadata.
 *
 * The gateway never sends such a CopyObject to a store. MinIO, for example, carries it out by changing the metadata of
 * whatever object is there at that moment. If another client's PUT came in between, its object would get the metadata
 * of the object that it replaced, and with them an envelope that does not open it.
 *
 * Instead, a small object is read and written again by one PUT, on the condition that it is still there (If-Match). A
 * larger one is copied by a multipart upload, which completes on the same condition.
 */

/**
 * Whether the gateway reads an object and writes it again, although the store could copy it. It does so for a small
 * object that is copied onto itself (see above). It also does so for a conditional copy to a folder marker (a key that
 * ends in `/`): such a copy would need a multipart upload, and MinIO refuses those for folder markers. It does not over
 * a store where If-Match on a PUT never holds (Ceph RGW 16): that store makes the copy by a multipart upload.
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

/** Whether two keys may name one object. MinIO takes `/a` and `a` for the same key. */
export function isOnePlace(one: ObjectRef, other: ObjectRef): boolean {
  return one.bucket === other.bucket && one.key.replace(/^\//, '') === other.key.replace(/^\//, '');
}

/**
 * Whether the copy replaces the object that it reads, and may be made on the condition that this object is still there.
 * A copy of an earlier version (`versionId`) replaces another object, the current version.
 */
export function replacesItself({ ref, source }: CopyObject, { findings }: OperationContext): boolean {
  if (!findings.capabilities.matchesOwnEtag || source.ref.versionId !== undefined) return false;
  return ref.bucket === source.ref.bucket && ref.key === source.ref.key;
}
