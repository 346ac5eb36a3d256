import { LRUCache } from 'lru-cache';
import type { OpenEnvelope } from '../../envelope/envelope.ts';
import type { HeldLocation } from './location.ts';

/** How many envelopes are remembered. Each takes a few KiB: derived keys, a DEK and the canonical metadata. */
const MAX_ENTRIES = 4096;

/** An envelope that was opened, and what was verified with it. */
export interface OpenedBefore {
  readonly opened: OpenEnvelope;
  /** The fingerprint of the KEK that opened it. Under another KEK it must be opened again. */
  readonly kek: string;
  /** The location claim beside the envelope that was found to hold; undefined where the claim lies in it. */
  readonly location: HeldLocation | undefined;
  /** The canonical metadata for which the metadata tag was verified. */
  readonly metadata: Buffer;
}

/**
 * Remembers opened envelopes, so that a client that reads many ranges of an object does not pay for unwrapping its DEK
 * and for ten HMACs in every request.
 *
 * An entry is found by whose keys opened it, by bucket and key, and by the whole text of the envelope and of its
 * encryption context. One changed bit anywhere in them, the suite and the commitment included, makes it another entry.
 * (CVE-2026-6550 was about a cache that left those out.) Even where an entry is found, the KEK is asked for, so that a
 * removed key or an unreachable key store has the same effect as without the cache.
 */
export class EnvelopeCache {
  /**
   * The number of entries is limited by `maxSize`, with a size of 1 for each. With `max` the cache would allocate room
   * for all of them when it is made.
   */
  readonly #entries = new LRUCache<string, OpenedBefore>({ maxSize: MAX_ENTRIES, sizeCalculation: () => 1 });

  get(name: string): OpenedBefore | undefined {
    return this.#entries.get(name);
  }

  set(name: string, entry: OpenedBefore): void {
    this.#entries.set(name, entry);
  }

  /**
   * The name of an entry. No two entries share a name: scope and bucket contain no line feed, and the key, which may,
   * comes after its length. Texts of entries contain none either.
   */
  static nameOf(at: {
    readonly scope: string;
    readonly bucket: string;
    readonly envelope: string;
    readonly context?: string | undefined;
    readonly key: string;
  }): string {
    const name = `${at.scope}\n${at.bucket}\n${at.key.length}\n${at.key}${at.envelope}`;
    return at.context === undefined ? name : `${name}\n${at.context}`;
  }
}
