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
 * Makes the formats of one pipeline, with empty caches of their own, and finds those of a bucket by the word of its
 * policy (`protection`), which chooses a row of the table.
 *
 * - Where the row's format seals (`seal`), objects with the marks that the row names are read, and others are refused.
 *   With `mixed`, objects without a mark are read as plain ones, but refused if they look like sealed objects that lost
 *   their mark.
 * - Where the row's format stores objects as they were sent (`none`), objects without a mark are read as plain ones,
 *   whatever they look like.
 */
export class Protections<Table extends FormatTable = typeof FORMATS> {
  readonly formats: OpenFormats<Table>;
  /** What was found out about objects in mixed buckets. */
  readonly knownSizes = new PlainSizeCache(PLAIN_SIZE_CACHE_BYTES);
  /** The format that is written and those that are read, by the word of the policy. */
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

  /** The formats of the buckets that have this policy. @throws RangeError where no row has the policy's word */
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
