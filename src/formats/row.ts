import type { ObjectFormat } from './format.ts';
import type { PlainSizeCache } from './plain-sizes.ts';

/** What the formats of one pipeline share. */
export interface FormatMemory {
  /** What was found out about objects in mixed buckets, whose size does not tell their format. */
  readonly knownSizes: PlainSizeCache;
}

/** A format, and the word by which bucket policies choose it. */
export interface FormatRow {
  /** The policy's word (`protection`) for buckets whose new objects have this format. Records keep it for ever. */
  readonly protection: string;
  /** What the word means, for the help of commands. */
  readonly about: string;
  /** The names of the rows whose marked objects are read in such buckets, in order of trial. No other mark counts there. */
  readonly reads: readonly string[];
  /** Makes the format for one pipeline, with empty caches of its own. */
  open(memory: FormatMemory): ObjectFormat;
}
