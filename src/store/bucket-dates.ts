import type { StoreFindings } from './capabilities.ts';
import type { Store } from './store.ts';

/** For how long a listing is believed, unless making it took long. */
const BELIEVED_MILLISECONDS = 1000;
/** A listing is believed for so many times as long as it took. So listings take a twentieth of the time at most. */
const BELIEVED_TIMES = 20;
/** A store that takes longer does not tell. */
const LONGEST_MILLISECONDS = 5000;

/** When buckets were made, by their names; undefined where the store did not tell. */
type Dates = ReadonlyMap<string, Date> | undefined;

interface Listing {
  readonly dates: Promise<Dates>;
  /** Until when it is believed. It is infinite while the listing is being made. */
  until: number;
}

/**
 * Knows when the store's buckets were made, which tells a bucket that was deleted and made again from the one before.
 * S3 tells it in the listing of all buckets only, so one listing, for which the store is asked with the gateway's own
 * rights, serves all questions for a second.
 */
export class BucketDates {
  readonly #store: Pick<Store, 'buckets'>;
  readonly #findings: StoreFindings;
  readonly #monotonicNow: () => number;
  #listing: Listing | undefined;

  /** @param monotonicNow returns milliseconds that never run backwards */
  constructor(store: Pick<Store, 'buckets'>, findings: StoreFindings, monotonicNow: () => number) {
    this.#store = store;
    this.#findings = findings;
    this.#monotonicNow = monotonicNow;
  }

  /**
   * When a bucket was made. undefined where the store's dates change with what lies in the bucket, and where the store
   * does not list the bucket or does not answer. Never rejects.
   * @param asks `now` asks the store in any case; `lately` believes what it told a moment ago
   */
  async of(bucket: string, asks: 'now' | 'lately'): Promise<Date | undefined> {
    if (!this.#findings.capabilities.lastingBucketDates) return undefined;
    const held = asks === 'lately' ? this.#listing : undefined;
    const listing = held !== undefined && this.#monotonicNow() < held.until ? held : this.#list();
    return (await listing.dates)?.get(bucket);
  }

  #list(): Listing {
    const startedAt = this.#monotonicNow();
    const listing: Listing = { dates: this.#ask(), until: Number.POSITIVE_INFINITY };
    this.#listing = listing;
    void listing.dates.then(() => {
      const took = this.#monotonicNow() - startedAt;
      listing.until = startedAt + Math.max(BELIEVED_MILLISECONDS, BELIEVED_TIMES * took);
    });
    return listing;
  }

  async #ask(): Promise<Dates> {
    try {
      const buckets = await this.#store.buckets.list(AbortSignal.timeout(LONGEST_MILLISECONDS));
      return new Map(buckets.map(({ name, created }) => [name, created]));
    } catch {
      return undefined;
    }
  }
}
