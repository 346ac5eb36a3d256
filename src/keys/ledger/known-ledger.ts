import { LEDGER_NAME } from '../record-name.ts';
import type { RootKey } from '../root/root-key.ts';
import type { RecordStore, StoredRecord } from '../store/record-store.ts';
import { RecordUnreadable } from '../wrapped-record.ts';
import type { HighestGeneration } from './generation-file.ts';
import { changedNames, type Ledger, openLedger, revisionOf, tagOf } from './ledger.ts';
import { ledgerGone, olderStore, otherStore, type StorePutBack } from './store-put-back.ts';

export interface KnownLedgerOptions {
  readonly store: RecordStore;
  readonly rootKey: RootKey;
  /** The highest generation that was seen here before; undefined if it is not remembered. */
  readonly highest: HighestGeneration | undefined;
  /** Is called with the names of records that have changed since the ledger was last looked at. */
  readonly onChange: (names: readonly string[] | 'all') => void;
  /** Is called with a sentence for the operator when the store gave something older; it may be called many times. */
  readonly onPutBack: (what: 'record' | 'store', sentence: string) => void;
}

/** A ledger as a store has it. */
export interface StoredLedger {
  readonly ledger: Ledger;
  /** The tag of the bytes from which it was opened. */
  readonly tag: string;
  /** The revision that the store gives it. */
  readonly revision: number;
}

/** Keeps the newest ledger that was seen. A store that gives an older one, or none, is judged by it. */
export class KnownLedger {
  readonly #options: KnownLedgerOptions;
  #newest: StoredLedger | undefined;
  /** Why the ledger that the store gives now is not believed; undefined if it is. */
  #trouble: StorePutBack | RecordUnreadable | undefined;
  /** The revision of the ledger that was last looked at, whether it was believed or not. */
  #seen: number | 'none' | undefined;

  constructor(options: KnownLedgerOptions) {
    this.#options = options;
  }

  /**
   * The newest ledger. It is undefined before the first administrative write; then the age of records cannot be judged.
   */
  get newest(): StoredLedger | undefined {
    return this.#newest;
  }

  /** What is wrong with the store as a whole. Records for which the newest ledger vouches are right nevertheless. */
  get trouble(): StorePutBack | RecordUnreadable | undefined {
    return this.#trouble;
  }

  /**
   * Looks whether the store has another ledger, and takes it if it is newer. If nothing changed, it reads six bytes.
   * @throws GatewayError KeyStoreUnavailable
   */
  async refresh(): Promise<void> {
    const before = this.#newest;
    const revision = await this.#options.store.revision(LEDGER_NAME);
    if ((revision ?? 'none') !== this.#seen) await this.#look(await this.#options.store.get(LEDGER_NAME), before);
  }

  /**
   * Reads the ledger that is in the store now; undefined if there never was one.
   * @throws StorePutBack, RecordUnreadable, GatewayError KeyStoreUnavailable
   */
  async read(): Promise<StoredLedger | undefined> {
    const before = this.#newest;
    const stored = await this.#options.store.get(LEDGER_NAME);
    await this.#look(stored, before);
    if (this.#trouble !== undefined) throw this.#trouble;
    return this.#newest;
  }

  /** Takes a ledger that the store is known to have now, unless a newer one is known. */
  take(found: StoredLedger): void {
    const before = this.#newest;
    if (before !== undefined && before.ledger.generation > found.ledger.generation) return;
    this.#seen = found.revision;
    this.#newest = found;
    this.#trouble = undefined;
    this.#options.highest?.raise(found.ledger.generation);
    if (before?.tag === found.tag) return;
    this.#options.onChange(before === undefined ? 'all' : changedNames(before.ledger, found.ledger));
  }

  /** Whether `stored` is the record that was last written, or the ledger carries that record itself (`lastWritten`). */
  agrees(name: string, stored: StoredRecord | undefined): boolean {
    if (this.#newest === undefined) return true;
    const { records, pending } = this.#newest.ledger;
    return pending.has(name) || records.get(name) === (stored && tagOf(stored.bytes));
  }

  /**
   * Returns the record that was last written; call it only if `agrees`. Its revision is made of its tag, so it is the
   * same in any store.
   */
  lastWritten(name: string, stored: StoredRecord | undefined): StoredRecord | undefined {
    const pending = this.#newest?.ledger.pending;
    const bytes = pending?.has(name) === true ? pending.get(name) : stored?.bytes;
    return bytes && { bytes, revision: revisionOf(tagOf(bytes)) };
  }

  /** @param before what was known when the store was asked; the store must not give an older one */
  async #look(stored: StoredRecord | undefined, before: StoredLedger | undefined): Promise<void> {
    const least = before?.ledger.generation ?? this.#options.highest?.value ?? 0;
    if (stored === undefined) {
      if (this.#newest !== before) return; // the store was asked before the first ledger was written
      this.#seen = 'none';
      if (least > 0) this.#distrust(ledgerGone(least));
      return;
    }
    const found = await this.#open(stored);
    if (found === undefined) return;
    const { generation } = found.ledger;
    if (generation < least) this.#distrust(olderStore(generation, least), stored.revision);
    else if (before?.ledger.generation === generation && before.tag !== found.tag) {
      this.#distrust(otherStore(generation), stored.revision);
    } else this.take(found);
  }

  async #open(stored: StoredRecord): Promise<StoredLedger | undefined> {
    try {
      const ledger = await openLedger(stored.bytes, this.#options.rootKey);
      return { ledger, tag: tagOf(stored.bytes), revision: stored.revision };
    } catch (error) {
      if (!(error instanceof RecordUnreadable)) throw error;
      this.#distrust(error, stored.revision);
      return undefined;
    }
  }

  #distrust(trouble: StorePutBack | RecordUnreadable, revision?: number): void {
    this.#seen = revision ?? 'none';
    this.#trouble = trouble;
    // If no ledger is known, ProvenStore.vouch throws this to every reader instead.
    if (this.#newest !== undefined) this.#options.onPutBack('store', trouble.message);
  }
}
