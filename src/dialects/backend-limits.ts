import type { MetadataEntry } from '../operations/object.ts';

/**
 * The sizes and counts that a store sets. They are numbers of the store, so each dialect states its own; what the
 * gateway or its format chooses for itself stands where it is used. Bytes are stored bytes.
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
   * A larger copy within the store is made in parts. Stores answer a copy only when all of it is done, so this is well
   * below what a store takes in one request: the wait for the answer must not time out.
   */
  readonly largestCopyBytes: number;
  /** The size of the parts in which a larger copy is made, unless it would then have too many of them. */
  readonly copyPartBytes: number;
  /** One request deletes at most this many objects. */
  readonly deletionsAtOnce: number;
  /** One page of a listing has at most this many entries: objects, versions, uploads or parts. */
  readonly entriesAPage: number;
  readonly userMetadata: {
    /** All entries of an object together have at most this size, as `count` measures it. */
    readonly bytes: number;
    /** Measures entries as the store does. */
    count(entries: readonly MetadataEntry[]): number;
  };
}
