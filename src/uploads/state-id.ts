import { createHash } from 'node:crypto';

/** Which upload: the backend's own id, and where and whose it is. */
export interface UploadPlace {
  readonly tenant: string;
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
}

/**
 * The name of an upload's state: a hash, so that a store's names tell nothing, and over tenant and place, so that
 * nobody reaches another's upload by its id. 32 bytes in hex.
 */
export function stateId({ tenant, bucket, key, uploadId }: UploadPlace): string {
  // JSON keeps the fields apart whatever characters they have.
  return createHash('sha256')
    .update(JSON.stringify([tenant, bucket, key, uploadId]))
    .digest('hex');
}
