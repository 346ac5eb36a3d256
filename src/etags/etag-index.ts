/** A sealed entry and its name (etag-entry.ts). */
export interface NamedEntry {
  /** 16 bytes of a hash. */
  readonly name: Buffer;
  /** At most 80 bytes (etag-entry.ts). */
  readonly entry: Buffer;
}

/**
 * The index of the MD5s of objects, for buckets with MD5 ETags. It keeps sealed entries by name (etag-entry.ts), and
 * all gateways over one key store share it. It is a cache: an object's footer says the same and is authoritative. So an
 * entry may be missing, outdated or unreadable at any time, which costs a request to the backend.
 *
 * Every method may throw GatewayError KeyStoreUnavailable.
 */
export interface EtagIndex {
  /** Reads entries in one round trip, in the order of the names; undefined for those that are not there. */
  read(names: readonly Buffer[]): Promise<readonly (Buffer | undefined)[]>;

  /** Adds or replaces entries. */
  write(entries: readonly NamedEntry[]): Promise<void>;

  close(): Promise<void>;
}
