import type { ObjectRef } from '../operations/object.ts';

/**
 * An upload that the backend is proven to have under this id, for this bucket and key. Some stores make paths of upload
 * ids, so an id that a client made up might be another bucket's folder. Therefore `Store` acts only on uploads of this
 * type.
 */
export class ProvenUpload {
  readonly ref: ObjectRef;
  readonly uploadId: string;
  /** Keeps TypeScript from accepting any other object with the same fields. */
  declare protected readonly proof: true;

  private constructor(ref: ObjectRef, uploadId: string) {
    this.ref = ref;
    this.uploadId = uploadId;
  }

  /** For an upload whose id the backend has just answered to CreateMultipartUpload. */
  static created(ref: ObjectRef, uploadId: string): ProvenUpload {
    return new ProvenUpload(ref, uploadId);
  }

  /** For an upload whose state the gateway has opened: the state's name is a hash of tenant, bucket, key and id. */
  static ofState(ref: ObjectRef, uploadId: string): ProvenUpload {
    return new ProvenUpload(ref, uploadId);
  }

  /** For an upload whose id stands verbatim in the backend's own listing of the key. */
  static listed(ref: ObjectRef, uploadId: string): ProvenUpload {
    return new ProvenUpload(ref, uploadId);
  }
}
