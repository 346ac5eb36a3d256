import { LRUCache } from 'lru-cache';

/**
 * The memory of an entry beside its name: a number, and its places in a Map and in a list of uses. 102 were measured.
 */
const BYTES_AN_ENTRY = 150;
/** Matches text that V8 stores with two bytes for each character. */
const BEYOND_LATIN1 = /[^\x00-\xff]/;

/**
 * Remembers the plaintext sizes of listed objects in `mixed` buckets, where the stored size alone does not tell whether
 * an object is sealed. It also remembers which objects are known to be plain because their first bytes were looked at.
 * Its entries are found by bucket, key, backend ETag and stored size. It is bounded by bytes and not by entries,
 * because keys may be up to 1,024 bytes long.
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
