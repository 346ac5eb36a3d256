import type { ObjectRef } from '../operations/object.ts';

/**
 * An upload of which the gateway knows that the backend has it under this id, for this bucket and key. Some stores make
 * paths of upload ids, so an id that a client made up might be another bucket's folder. `Store` therefore acts on uploads
 * of this type alone.
 */
export class ProvenUpload {
  readonly ref: ObjectRef;
  readonly uploadId: string;
  /** Keeps any other object with the same fields from passing for one. */
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
