import type { CreateBucket } from '../operations/operation.ts';
import type { StoreCalls } from './calls.ts';

/** The backend's buckets, as `Store` has its objects. */
export class StoreBuckets {
  readonly #calls: StoreCalls;

  constructor(calls: StoreCalls) {
    this.#calls = calls;
  }

  /** @throws GatewayError InvalidBucketName for one that the store cannot have, or has for itself */
  check(bucket: string): void {
    this.#calls.made({ bucket });
  }

  async list(signal: AbortSignal): Promise<readonly { name: string; created: Date }[]> {
    return this.#calls.document(this.#calls.back.listBuckets(), {}, signal, this.#calls.back.readBuckets);
  }

  async head(bucket: string, signal: AbortSignal): Promise<void> {
    (
      await this.#calls.succeed(
        this.#calls.back.headBucket(this.#calls.made({ bucket }).bucket),
        { bucket },
        { signal },
      )
    ).discard();
  }

  async create(asked: CreateBucket, signal: AbortSignal): Promise<void> {
    const { bucket, location, vendor } = this.#calls.made(asked);
    const request = this.#calls.back.createBucket(bucket, location, vendor);
    (await this.#calls.succeed(request, asked, { signal })).discard();
  }

  async delete(bucket: string, signal: AbortSignal): Promise<void> {
    (
      await this.#calls.succeed(
        this.#calls.back.deleteBucket(this.#calls.made({ bucket }).bucket),
        { bucket },
        { signal },
      )
    ).discard();
  }
}
