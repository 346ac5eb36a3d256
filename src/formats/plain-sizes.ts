import { LRUCache } from 'lru-cache';

/** What an entry takes beside its name: a number, and room in a Map and a list of uses. Measured: 102. */
const BYTES_AN_ENTRY = 150;
/** V8 holds text with such a character in two bytes a character. */
const BEYOND_LATIN1 = /[^\x00-\xff]/;

/**
 * Plaintext sizes of listed objects in buckets whose policy is `mixed`, by place, backend ETag and stored size: in such a
 * bucket a stored size alone does not tell whether the object is sealed. It is bounded in bytes, because keys have up to
 * 1,024. It also remembers which of these objects are known to be plain, because their first bytes were looked at.
 */
export class PlainSizeCache {
  readonly #sizes: LRUCache<string, number>;

  constructor(limitBytes: number) {
    this.#sizes = new LRUCache({
      maxSize: limitBytes,
      sizeCalculation: (_size, name) => BYTES_AN_ENTRY + name.length * (BEYOND_LATIN1.test(name) ? 2 : 1),
    });
  }

  get(bucket: string, key: string, etag: string, storedBytes: number): number | undefined {
    return this.#sizes.get(JSON.stringify([bucket, key, etag, storedBytes]));
  }

  set(bucket: string, key: string, etag: string, storedBytes: number, plaintextBytes: number): void {
    this.#sizes.set(JSON.stringify([bucket, key, etag, storedBytes]), plaintextBytes);
  }

  isPlain(bucket: string, key: string, etag: string, storedBytes: number): boolean {
    return this.#sizes.has(plainName(bucket, key, etag, storedBytes));
  }

  setPlain(bucket: string, key: string, etag: string, storedBytes: number): void {
    this.#sizes.set(plainName(bucket, key, etag, storedBytes), storedBytes);
  }
}

function plainName(bucket: string, key: string, etag: string, storedBytes: number): string {
  return JSON.stringify([bucket, key, etag, storedBytes, 'plain']);
}
