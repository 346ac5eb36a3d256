import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import { BucketFormats } from './bucket-formats.ts';
import type { ObjectFormat } from './format.ts';
import { plain } from './plain/format.ts';
import { PlainSizeCache } from './plain-sizes.ts';
import type { FORMATS, FormatTable } from './table.ts';

/** The memory, in each worker, for the sizes of objects in mixed buckets: enough for some 30,000. */
const PLAIN_SIZE_CACHE_BYTES = 8 * 1024 * 1024;

/** The formats of a table, as one pipeline has them. */
type OpenFormats<Table extends FormatTable> = { readonly [Name in keyof Table]: ReturnType<Table[Name]['open']> };

/**
 * The formats of one pipeline, with empty caches of their own. It finds those of a bucket by the word of the bucket's
 * policy (`protection`), which names a row of the table.
 *
 * - A word whose format seals (`seal`) has objects with the marks read that its row names, and others refused. With
 *   `mixed` unmarked objects are read as they lie, except those that look like sealed ones that lost their mark.
 * - A word whose format stores objects as they were sent (`none`) has unmarked objects read as they lie, whatever they
 *   look like.
 */
export class Protections<Table extends FormatTable = typeof FORMATS> {
  readonly formats: OpenFormats<Table>;
  /** What was found out about objects in mixed buckets. */
  readonly knownSizes = new PlainSizeCache(PLAIN_SIZE_CACHE_BYTES);
  /** By the policy's word: the format that is written, and those that are read. */
  readonly #byWord: ReadonlyMap<string, { readonly write: ObjectFormat; readonly read: readonly ObjectFormat[] }>;
  /** The formats by the policy's object, which lives as long as the cached record of its tenant. */
  readonly #known = new WeakMap<BucketPolicy, BucketFormats>();

  constructor(table: Table) {
    const rows = Object.entries(table);
    const opened = new Map(rows.map(([name, row]) => [name, row.open({ knownSizes: this.knownSizes })]));
    this.formats = Object.fromEntries(opened) as OpenFormats<Table>;
    const formatNamed = (name: string): ObjectFormat => {
      const format = opened.get(name);
      if (format === undefined) throw new RangeError(`There is no format ${name}.`);
      return format;
    };
    this.#byWord = new Map(
      rows.map(([name, { protection, reads }]) => [
        protection,
        { write: formatNamed(name), read: reads.map(formatNamed) },
      ]),
    );
  }

  formatsFor(policy: BucketPolicy): BucketFormats {
    let formats = this.#known.get(policy);
    if (formats === undefined) {
      formats = this.#make(policy);
      this.#known.set(policy, formats);
    }
    return formats;
  }

  #make({ protection, mixed }: BucketPolicy): BucketFormats {
    const chosen = this.#byWord.get(protection);
    if (chosen === undefined) throw new RangeError(`No format has the word ${protection}.`);
    const { write, read } = chosen;
    const parts = { write, read, knownSizes: this.knownSizes };
    if (write.asSent) return new BucketFormats({ ...parts, unmarked: write, mayLoseMarks: [] });
    if (!mixed) return new BucketFormats({ ...parts, unmarked: undefined, mayLoseMarks: [] });
    const mayLoseMarks = read.filter((format) => format.hasLostMark !== undefined);
    return new BucketFormats({ ...parts, unmarked: plain, mayLoseMarks });
  }
}
