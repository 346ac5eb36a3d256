/*
 * The encryption that a bucket's clients have set for it (S3's default encryption), in no dialect's terms: the
 * operations on it, and their answers.
 */

/** How new objects of a bucket are encrypted where a request does not say it, and what requests may not ask for. */
export interface BucketEncryption {
  /** The form of encryption. */
  readonly form: 'managed' | 'kms';
  /** The key as the client named it; undefined asks for the tenant's own. Only for `kms`. */
  readonly keyId: string | undefined;
  /** S3's bucket key flag. It is kept and told. */
  readonly bucketKey: boolean;
  /** Whether objects may be written under keys of customers; undefined where nobody has said it. */
  readonly customerKeys: 'allowed' | 'blocked' | undefined;
}

/** What a client sets. What it leaves out stays as it was. */
export interface AskedBucketEncryption {
  readonly method: Pick<BucketEncryption, 'form' | 'keyId'> | undefined;
  readonly bucketKey: boolean | undefined;
  readonly customerKeys: 'allowed' | 'blocked' | undefined;
}

export type BucketEncryptionOperation = GetBucketEncryption | PutBucketEncryption | DeleteBucketEncryption;

export interface GetBucketEncryption {
  readonly kind: 'GetBucketEncryption';
  readonly bucket: string;
}

export interface PutBucketEncryption {
  readonly kind: 'PutBucketEncryption';
  readonly bucket: string;
  readonly asked: AskedBucketEncryption;
}

/** DeleteBucketEncryption takes back the form of encryption that was set. */
export interface DeleteBucketEncryption {
  readonly kind: 'DeleteBucketEncryption';
  readonly bucket: string;
}

export type BucketEncryptionAnswer = BucketEncryptionTold | BucketEncryptionSet | BucketEncryptionReset;

/** The answer to GetBucketEncryption. */
export interface BucketEncryptionTold {
  readonly kind: 'BucketEncryptionTold';
  readonly rule: BucketEncryption;
}

/** The answer to PutBucketEncryption. */
export interface BucketEncryptionSet {
  readonly kind: 'BucketEncryptionSet';
}

/** The answer to DeleteBucketEncryption. */
export interface BucketEncryptionReset {
  readonly kind: 'BucketEncryptionReset';
}
