import type { ObjectFormat } from './format.ts';
import { plain } from './plain/format.ts';
import { PlainSizeCache } from './plain-sizes.ts';
import { Sx1Format } from './sx1/format.ts';

/** The memory, in each worker, for the sizes of objects in mixed buckets: enough for some 30,000. */
const PLAIN_SIZE_CACHE_BYTES = 8 * 1024 * 1024;

/** Every format that the gateway knows. A new one is a folder and a row; protection.ts says which buckets use it. */
export interface FormatTable {
  readonly plain: ObjectFormat;
  readonly sx1: Sx1Format;
  /** What was found out about objects in mixed buckets, whose size does not tell their format. */
  readonly knownSizes: PlainSizeCache;
}

/** Makes the formats for one pipeline, with empty caches of their own. */
export function openFormats(): FormatTable {
  const knownSizes = new PlainSizeCache(PLAIN_SIZE_CACHE_BYTES);
  return { plain, sx1: new Sx1Format(knownSizes), knownSizes };
}
