/** What a write or a listing of one bucket needs: 16 bytes of a hash, and an entry of ENTRY_BYTES. */
export interface NamedEntry {
  readonly name: Buffer;
  readonly entry: Buffer;
}

/**
 * Sealed entries by name (etag-entry.ts), shared by all gateways: what the objects of buckets with MD5 ETags are shown
 * as. It is a cache. An object's footer says the same and has the last word, so an entry may be gone, late or unreadable
 * at any time, at the price of a request to the backend.
 *
 * Every method may throw KeyStoreUnavailable.
 */
export interface EtagIndex {
  /** In the order of the names, in one turn; undefined for what is not known. */
  read(names: readonly Buffer[]): Promise<readonly (Buffer | undefined)[]>;

  /** Adds or replaces. */
  write(entries: readonly NamedEntry[]): Promise<void>;

  close(): Promise<void>;
}
