import type { CustomerKey } from '../operations/encryption.ts';

/** How a store is asked to encrypt an object by itself. A back renders it in its vendor's headers. */
export type StoreEncryption =
  /** With a key that the store manages (S3's SSE-S3). */
  | { readonly kind: 'managed' }
  /** With a key of the store's KMS (S3's SSE-KMS). */
  | {
      readonly kind: 'kms';
      /** undefined leaves the key to the store. */
      readonly keyId: string | undefined;
      /** The encryption context, in canonical JSON; undefined for none. */
      readonly context: Buffer | undefined;
      readonly bucketKey: boolean;
    }
  | StoreKey;

/** A key that the store gets with every request for an object, and does not keep (S3's SSE-C). */
export interface StoreKey {
  readonly kind: 'customer';
  readonly key: CustomerKey;
}

/** What a store says of how it has encrypted an object. It may lie. */
export type StoredEncryption =
  | { readonly kind: 'managed' }
  /** `keyId` is the key as the store names it. */
  | { readonly kind: 'kms'; readonly keyId: string | undefined; readonly bucketKey: boolean }
  /** `keyMd5` is the MD5 of the key that it was sent, in base64. */
  | { readonly kind: 'customer'; readonly keyMd5: string | undefined };

/** The id of a KMS key in the name that a store gives it: an ARN of AWS's, or `arn:aws:kms:NAME` of MinIO's. */
export function bareKeyId(keyId: string): string {
  return keyId.slice(keyId.lastIndexOf(':') + 1).replace(/^(?:key|alias)\//, '');
}

/** Whether what a store says of an object is what it was asked for. */
export function isAsAsked(asked: StoreEncryption, said: StoredEncryption | undefined): boolean {
  switch (asked.kind) {
    case 'managed':
      return said?.kind === 'managed';
    case 'kms':
      if (said?.kind !== 'kms') return false;
      return asked.keyId === undefined || (said.keyId !== undefined && bareKeyId(said.keyId) === asked.keyId);
    case 'customer':
      return said?.kind === 'customer' && said.keyMd5 === asked.key.md5.toString('base64');
  }
}
