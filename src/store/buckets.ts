import type { StoredBucket } from '../dialects/store-exchange.ts';
import type { CreateBucket } from '../operations/operation.ts';
import type { StoreCalls } from './calls.ts';

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

  create(asked: CreateBucket, signal: AbortSignal): Promise<void> {
    return this.#calls.run(this.#calls.dialect.calls.createBucket, asked, { signal });
  }

  delete(bucket: string, signal: AbortSignal): Promise<void> {
    return this.#calls.run(this.#calls.dialect.calls.deleteBucket, { bucket }, { signal });
  }
}
