import { createHash } from 'node:crypto';

/** Names a multipart upload. */
export interface UploadPlace {
  readonly tenant: string;
  readonly bucket: string;
  readonly key: string;
  /** The backend's upload id. */
  readonly uploadId: string;
}

/**
 * The name of an upload's state: 32 bytes in hex. It is a hash, so that names in the store reveal nothing. The hash
 * covers tenant and place, so that nobody reaches another tenant's upload by its upload id.
 */
export function stateId({ tenant, bucket, key, uploadId }: UploadPlace): string {
  // JSON keeps the fields apart whatever characters they contain.
  return createHash('sha256')
    .update(JSON.stringify([tenant, bucket, key, uploadId]))
    .digest('hex');
}
