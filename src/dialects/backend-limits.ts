import type { MetadataEntry } from '../operations/object.ts';

/**
 * The sizes and counts that stores of a dialect allow. Limits that the gateway or its format chooses itself stand where
 * they are used. All sizes are in bytes as the store counts them: for a sealed object, ciphertext.
 */
export interface BackendLimits {
  /** Every part of an upload except the last has at least this size; the store refuses to complete smaller ones. */
  readonly smallestPartBytes: number;
  readonly largestPartBytes: number;
  /** Parts are numbered from 1 up to this number, so an upload has no more parts than that. */
  readonly lastPartNumber: number;
  /** A larger object must be uploaded in parts. */
  readonly largestPutBytes: number;
  /**
   * A larger copy within the store is made in parts. A store answers a copy only when it is complete, so this is well
   * below what a store would take in one request: waiting for the answer must not time out.
   */
  readonly largestCopyBytes: number;
  /** The size of the parts of a larger copy, unless the copy would then have more parts than an upload may have. */
  readonly copyPartBytes: number;
  /** One request deletes at most this many objects. */
  readonly deletionsAtOnce: number;
  /** One page of a listing has at most this many entries: objects, versions, uploads or parts. */
  readonly entriesAPage: number;
  readonly userMetadata: {
    /** The most that all entries of one object may have together, as `count` measures them. */
    readonly bytes: number;
    /** Measures entries as the store does. */
    count(entries: readonly MetadataEntry[]): number;
  };
}
