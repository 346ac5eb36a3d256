import { LRUCache } from 'lru-cache';

/** How many entries of mixed buckets are remembered. */
const MAX_ENTRIES = 100_000;

/**
 * Plaintext sizes of listed objects in buckets whose policy is `mixed`, by place, backend ETag and stored size: there
 * a stored size alone does not tell whether the object is sealed.
 */
export class PlainSizeCache {
  readonly #sizes = new LRUCache<string, number>({ max: MAX_ENTRIES });

  get(bucket: string, key: string, etag: string, storedBytes: number): number | undefined {
    return this.#sizes.get(JSON.stringify([bucket, key, etag, storedBytes]));
  }

  set(bucket: string, key: string, etag: string, storedBytes: number, plaintextBytes: number): void {
    this.#sizes.set(JSON.stringify([bucket, key, etag, storedBytes]), plaintextBytes);
  }
}
