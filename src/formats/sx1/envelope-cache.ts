import { LRUCache } from 'lru-cache';
import type { OpenEnvelope } from '../../envelope/envelope.ts';

/** An entry takes a few KiB: derived keys, a DEK and the canonical metadata. */
const MAX_ENTRIES = 4096;

/** An envelope that was opened, with what it was opened and checked against. */
export interface OpenedBefore {
  readonly opened: OpenEnvelope;
  /** The fingerprint of the key that opened it: another one means open it again. */
  readonly kek: string;
  /** The canonical metadata that its tag was found to cover. */
  readonly metadata: Buffer;
}

/**
 * Envelopes of objects that are read again and again, so that a range reader does not pay for unwrapping and ten HMACs
 * a request. An entry's name says whose keys opened it, where it lies, and the whole envelope with suite and commitment:
 * one changed bit is another entry (CVE-2026-6550 was a cache that left them out). A hit still asks for the KEK, so that
 * a removed key or an unreachable key store refuses as it does without the cache.
 */
export class EnvelopeCache {
  readonly #entries = new LRUCache<string, OpenedBefore>({ max: MAX_ENTRIES });

  get(name: string): OpenedBefore | undefined {
    return this.#entries.get(name);
  }

  set(name: string, entry: OpenedBefore): void {
    this.#entries.set(name, entry);
  }

  /** Two entries never share a name: scopes and buckets hold no line feed, and the key, which may hold any, is counted. */
  static nameOf(at: { scope: string; bucket: string; envelope: string; key: string }): string {
    return `${at.scope}\n${at.bucket}\n${at.key.length}\n${at.key}${at.envelope}`;
  }
}
