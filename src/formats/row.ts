import type { ObjectFormat } from './format.ts';
import type { PlainSizeCache } from './plain-sizes.ts';

/** What the formats of one pipeline share. */
export interface FormatMemory {
  /** What was found out about objects in mixed buckets, whose size does not tell their format. */
  readonly knownSizes: PlainSizeCache;
}

/** A format, and the word by which bucket policies choose it. */
export interface FormatRow {
  /**
   * The word of a bucket's policy (`protection`) that chooses this format for new objects. It must never change,
   * because the records of tenants contain it.
   */
  readonly protection: string;
  /** What the word means, in the help texts of commands. */
  readonly about: string;
  /**
   * The names of the rows whose marked objects are read in such buckets, in the order in which their marks are looked
   * for. Marks of other formats mean nothing there.
   */
  readonly reads: readonly string[];
  /** Whether the store is asked to encrypt such objects by itself. Then the policy says how (`inject`). */
  readonly storeEncrypts?: true;
  /** Makes the format for one pipeline, with empty caches of its own. */
  open(memory: FormatMemory): ObjectFormat;
}
