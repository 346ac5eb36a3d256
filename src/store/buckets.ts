import type { StorePolicyAsked, TriedSetting } from '../dialects/backend-calls.ts';
import { explained } from '../dialects/store-claim.ts';
import type { StoredBucket } from '../dialects/store-exchange.ts';
import { clientError, type ErrorCode } from '../errors.ts';
import type { CreateBucket } from '../operations/operation.ts';
import { isSuccess, type StoreCalls } from './calls.ts';

/** What a store says of a caller's rights, and failures that leave them unknown. All else is about the content. */
const ANSWERS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'AccessDenied',
  'BackendError',
  'BackendKeyRefused',
  'BackendUnavailable',
  'NoSuchBucket',
  'SlowDown',
]);

/** The backend's buckets; `Store` does the same for objects. */
export class StoreBuckets {
  readonly #calls: StoreCalls;

  constructor(calls: StoreCalls) {
    this.#calls = calls;
  }

  /**
   * Checks a bucket's name.
   * @throws GatewayError InvalidBucketName if the store cannot have such a bucket, or reserves it for itself
   */
  check(bucket: string): void {
    this.#calls.made({ bucket });
  }

  list(signal: AbortSignal): Promise<readonly StoredBucket[]> {
    return this.#calls.run(this.#calls.dialect.calls.listBuckets, {}, { signal });
  }

  head(bucket: string, signal: AbortSignal): Promise<void> {
    return this.#calls.run(this.#calls.dialect.calls.headBucket, { bucket }, { signal });
  }

  /**
   * Checks that the caller may read or change how a bucket is encrypted. The gateway keeps that itself, so the store is
   * asked for nothing but the right. In a store that has no such operation, those may change it who may read the
   * bucket's ACL, and those may read it who may see the bucket.
   * @throws GatewayError AccessDenied, NoSuchBucket, BackendKeyRefused, BackendUnavailable …
   */
  async checkEncryptionRight(bucket: string, asks: 'read' | 'change', signal: AbortSignal): Promise<void> {
    if (!(await this.#tryEncryption(bucket, asks, signal))) return;
    if (asks === 'change' && !(await this.#tryEncryption(bucket, 'acl', signal))) return;
    await this.head(bucket, signal);
  }

  /** Returns whether the store does not know the operation. */
  async #tryEncryption(bucket: string, asks: TriedSetting, signal: AbortSignal): Promise<boolean> {
    const { tryBucketEncryption: row } = this.#calls.dialect.calls;
    if (row === undefined) return true;
    const response = await this.#calls.send(row, { bucket, asks }, { signal });
    if (isSuccess(response)) {
      response.discard();
      return false;
    }
    const refusal = explained(await this.#calls.refusal(response, { bucket }), undefined);
    if (ANSWERS.has(refusal.code)) throw refusal;
    if (refusal.said?.status === 403) throw clientError('AccessDenied', refusal.message, { cause: refusal });
    return refusal.code === 'NotImplemented' || refusal.code === 'MethodNotAllowed';
  }

  /** Returns the policy that the store has of a bucket. @throws GatewayError NoSuchBucketPolicy, NoSuchBucket … */
  policy(asked: StorePolicyAsked, signal: AbortSignal): Promise<Buffer> {
    return this.#calls.run(this.#calls.dialect.calls.bucketPolicy, asked, { signal });
  }

  /** Whether the store's policy of a bucket lets everybody in. @throws GatewayError as `policy` */
  policyStatus(asked: StorePolicyAsked, signal: AbortSignal): Promise<boolean> {
    return this.#calls.run(this.#calls.dialect.calls.bucketPolicyStatus, asked, { signal });
  }

  /** Sets the store's policy of a bucket; undefined removes it. @throws GatewayError NoSuchBucket … */
  changePolicy(asked: StorePolicyAsked, document: Buffer | undefined, signal: AbortSignal): Promise<void> {
    const { putBucketPolicy, deleteBucketPolicy } = this.#calls.dialect.calls;
    if (document === undefined) return this.#calls.run(deleteBucketPolicy, asked, { signal });
    return this.#calls.run(putBucketPolicy, { ...asked, document }, { signal });
  }

  /**
   * Checks that the caller may change the policy of a bucket, by sending one that no store takes.
   * @throws GatewayError AccessDenied, NoSuchBucket, BackendKeyRefused, BackendUnavailable …
   */
  async checkPolicyRight(asked: StorePolicyAsked, signal: AbortSignal): Promise<void> {
    const { tryBucketPolicy: row } = this.#calls.dialect.calls;
    if (row === undefined) return;
    const response = await this.#calls.send(row, asked, { signal });
    if (isSuccess(response)) return response.discard();
    const refusal = explained(await this.#calls.refusal(response, asked), undefined);
    if (ANSWERS.has(refusal.code)) throw refusal;
    if (refusal.said?.status === 403) throw clientError('AccessDenied', refusal.message, { cause: refusal });
  }

  create(asked: CreateBucket, signal: AbortSignal): Promise<void> {
    return this.#calls.run(this.#calls.dialect.calls.createBucket, asked, { signal });
  }

  delete(bucket: string, signal: AbortSignal): Promise<void> {
    return this.#calls.run(this.#calls.dialect.calls.deleteBucket, { bucket }, { signal });
  }
}
