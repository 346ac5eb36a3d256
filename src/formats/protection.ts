import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import { BucketFormats } from './bucket-formats.ts';
import type { FormatTable } from './table.ts';

/**
 * The formats that a bucket's policy asks for. This is the only file that knows the policy's word for it.
 *
 * - `seal` writes and reads SX1. With `mixed` it also reads plain objects, unless they are sealed ones that lost their
 *   envelope.
 * - `none` writes plain objects and reads both.
 */
export class Protections {
  readonly #table: FormatTable;
  /** Policies live as long as the cached record of their tenant. */
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
