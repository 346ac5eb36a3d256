import type { KeyObject } from 'node:crypto';
import { type Kek, RING } from './key-ring.ts';
import type { Records } from './records.ts';
import { isKeyStoreUnavailable, keyStoreUnavailable } from './store/record-store.ts';

/** How often a key store that does not answer is asked again. */
const RETRY_MILLISECONDS = 1000;

/**
 * Compares keys that are about to seal with the key store's own records. Objects that are sealed under a key that the
 * key store does not have are lost when this process ends, and nobody would notice before.
 *
 * A key is read once more, past the cache, before it seals for the first time since it was loaded. Afterwards each use
 * compares it with what was read then, in less than a microsecond.
 */
export class KeyProof {
  readonly #records: Pick<Records, 'read' | 'refresh'>;
  readonly #monotonicNow: () => number;
  /** What the key store has for each key that this process holds; undefined where it has none. */
  readonly #stored = new WeakMap<Kek, KeyObject | undefined>();
  readonly #reading = new WeakMap<Kek, { readonly startedAt: number; readonly done: Promise<void> }>();

  constructor(records: Pick<Records, 'read' | 'refresh'>, monotonicNow: () => number) {
    this.#records = records;
    this.#monotonicNow = monotonicNow;
  }

  /**
   * Returns the key if it is the one that the key store has. A key store that does not answer proves nothing against a
   * key: how long what is cached may seal then is the cache's matter (CacheLimits.staleSeconds).
   * @throws GatewayError KeyStoreUnavailable for another key than the key store has, which leaves the cache;
   *   RecordUnreadable
   */
  async prove(kek: Kek): Promise<Kek> {
    if (!this.#stored.has(kek)) await this.#readOnce(kek);
    if (!this.#stored.has(kek) || this.#stored.get(kek)?.equals(kek.key)) return kek;
    const { ringId, version } = kek;
    await this.#records.refresh(RING, ringId).catch(() => undefined);
    throw keyStoreUnavailable(
      new Error(`version ${version} of ring/${ringId} is held otherwise than it is stored`),
      `The key store does not have version ${version} of the key ring ${ringId} as this gateway holds it. Nothing was ` +
        'sealed under it.',
    );
  }

  /** Requests that come at once wait for one answer. */
  #readOnce(kek: Kek): Promise<void> {
    const now = this.#monotonicNow();
    const running = this.#reading.get(kek);
    if (running !== undefined && now - running.startedAt < RETRY_MILLISECONDS) return running.done;
    const done = this.#read(kek);
    this.#reading.set(kek, { startedAt: now, done });
    return done;
  }

  async #read(kek: Kek): Promise<void> {
    try {
      const ring = (await this.#records.read(RING, kek.ringId))?.value;
      const stored = ring?.tenant === kek.tenant && ring.name === kek.name ? ring.keks.get(kek.version) : undefined;
      this.#stored.set(kek, stored?.key);
    } catch (error) {
      if (!isKeyStoreUnavailable(error)) throw error;
    }
  }
}
