import type { ObjectFormat } from './format.ts';
import { plain } from './plain/format.ts';
import { PlainSizeCache } from './plain-sizes.ts';
import { Sx1Format } from './sx1/format.ts';

/** Sizes in listings of mixed buckets that are remembered, each worker: some 30,000. */
const PLAIN_SIZE_CACHE_BYTES = 8 * 1024 * 1024;

/** Every format that the gateway knows. A new one is a folder and a row; protection.ts says which buckets use it. */
export interface FormatTable {
  readonly plain: ObjectFormat;
  readonly sx1: Sx1Format;
  /** What is known of listed objects whose size alone does not tell which format they have. */
  readonly knownSizes: PlainSizeCache;
}

/** The formats of one pipeline. What they remember of objects is theirs, and empty. */
export function openFormats(): FormatTable {
  const knownSizes = new PlainSizeCache(PLAIN_SIZE_CACHE_BYTES);
  return { plain, sx1: new Sx1Format(knownSizes), knownSizes };
}
