import type { ObjectRef } from '../operations/object.ts';

/**
 * An upload that the backend has under this id for this bucket and key, as far as the gateway was ever told. Stores make
 * paths of upload ids, so that one of a client's own making may be another bucket's folder: `Store` acts on uploads of
 * this type alone, and what is no `ProvenUpload` stays a client's word.
 */
export class ProvenUpload {
  readonly ref: ObjectRef;
  readonly uploadId: string;
  /** No other object with these fields is taken for one. */
  declare protected readonly proof: true;

  private constructor(ref: ObjectRef, uploadId: string) {
    this.ref = ref;
    this.uploadId = uploadId;
  }

  /** The backend has just answered the id to CreateMultipartUpload. */
  static created(ref: ObjectRef, uploadId: string): ProvenUpload {
    return new ProvenUpload(ref, uploadId);
  }

  /** The gateway's state of it was opened: its name is a hash over tenant, bucket, key and id. */
  static ofState(ref: ObjectRef, uploadId: string): ProvenUpload {
    return new ProvenUpload(ref, uploadId);
  }

  /** The id stands verbatim in the backend's own listing of the key. */
  static listed(ref: ObjectRef, uploadId: string): ProvenUpload {
    return new ProvenUpload(ref, uploadId);
  }
}
