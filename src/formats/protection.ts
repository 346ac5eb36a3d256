import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import { BucketFormats } from './bucket-formats.ts';
import type { FormatTable } from './table.ts';

/**
 * Finds the formats of a bucket by its policy. This is the only file that reads the policy's `protection`.
 *
 * - `seal` writes and reads SX1. With `mixed` it also reads plain objects, but refuses those that look like sealed ones
 *   that lost their envelope.
 * - `none` writes plain objects and reads both.
 */
export class Protections {
  readonly #table: FormatTable;
  /** The formats by the policy's object, which lives as long as the cached record of its tenant. */
  readonly #known = new WeakMap<BucketPolicy, BucketFormats>();

  constructor(table: FormatTable) {
    this.#table = table;
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
    const { knownSizes, plain, sx1 } = this.#table;
    const reads = { read: [sx1], knownSizes };
    if (protection === 'none') return new BucketFormats({ ...reads, write: plain, unmarked: plain, mayLoseMarks: [] });
    if (mixed) return new BucketFormats({ ...reads, write: sx1, unmarked: plain, mayLoseMarks: [sx1] });
    return new BucketFormats({ ...reads, write: sx1, unmarked: undefined, mayLoseMarks: [] });
  }
}
