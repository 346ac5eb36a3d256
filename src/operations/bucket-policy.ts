import type { VendorHeaders } from './object.ts';

/*
 * The policies that clients set for buckets (S3's bucket policies): the operations on them, their answers, and what the
 * gateway itself holds of them. A store that has policies of buckets judges the rest. The gateway takes over what a
 * store cannot judge, because it never sees what the client asks of encryption.
 *
 * Actions have the names of AWS's policy language, which every store of the S3 family took over.
 */

/** What a condition looks at: the method that a request asks for, the KMS key, or the algorithm of a customer's key. */
export type ConditionKey = 'method' | 'keyId' | 'customerAlgorithm';

/** How a condition compares. The names are those of AWS's policy language, and so is what they mean. */
export type ConditionOperator =
  | 'Null'
  | 'StringEquals'
  | 'StringEqualsIfExists'
  | 'StringNotEquals'
  | 'StringNotEqualsIfExists';

export interface HeldCondition {
  readonly key: ConditionKey;
  readonly operator: ConditionOperator;
  /** At least one. For `Null` each is `true` or `false`. */
  readonly values: readonly string[];
}

/** A statement that the gateway holds. It denies the requests to which all that it says applies, whoever sends them. */
export interface HeldStatement {
  /** Names the statement in the log: by what its author called it, or by its place in the document. */
  readonly name: string;
  /** Patterns of actions; case does not matter. In all patterns, `*` stands for any characters, `?` for one. */
  readonly actions: readonly string[];
  /** Patterns of resources: `bucket` for a bucket itself, `bucket/key` for an object. */
  readonly resources: readonly string[];
  readonly conditions: readonly HeldCondition[];
}

/** A policy as a client sent it, and how it is shared out. */
export interface AskedPolicy {
  /** The document itself, which the client is told again. */
  readonly document: Buffer;
  /** The statements that the gateway holds. */
  readonly held: readonly HeldStatement[];
  /** The policy that the store gets, without those statements; undefined where nothing is left of it. */
  readonly passed: Buffer | undefined;
}

interface OfBucket {
  readonly bucket: string;
  /** Headers that the store must be told (whose bucket it must be). */
  readonly vendor?: VendorHeaders | undefined;
}

export type BucketPolicyOperation = GetBucketPolicy | GetBucketPolicyStatus | PutBucketPolicy | DeleteBucketPolicy;

export interface GetBucketPolicy extends OfBucket {
  readonly kind: 'GetBucketPolicy';
}

/** Asks whether the policy lets everybody in. */
export interface GetBucketPolicyStatus extends OfBucket {
  readonly kind: 'GetBucketPolicyStatus';
}

export interface PutBucketPolicy extends OfBucket {
  readonly kind: 'PutBucketPolicy';
  readonly asked: AskedPolicy;
}

export interface DeleteBucketPolicy extends OfBucket {
  readonly kind: 'DeleteBucketPolicy';
}

export type BucketPolicyAnswer = BucketPolicyTold | BucketPolicyStatusTold | BucketPolicyChanged;

/** The answer to GetBucketPolicy. */
export interface BucketPolicyTold {
  readonly kind: 'BucketPolicyTold';
  readonly document: Buffer;
}

/** The answer to GetBucketPolicyStatus. */
export interface BucketPolicyStatusTold {
  readonly kind: 'BucketPolicyStatusTold';
  readonly isPublic: boolean;
}

/** The answer to PutBucketPolicy and DeleteBucketPolicy. */
export interface BucketPolicyChanged {
  readonly kind: 'BucketPolicyChanged';
}
