import { setTimeout as delay } from 'node:timers/promises';
import { LEDGER_NAME, parseRecordName } from '../record-name.ts';
import {
  type ExpectedRevision,
  keyStoreUnavailable,
  type PutOptions,
  type RecordStore,
  RevisionConflict,
  type StoredRecord,
} from '../store/record-store.ts';
import { RecordUnreadable } from '../wrapped-record.ts';
import { KnownLedger, type KnownLedgerOptions, type StoredLedger } from './known-ledger.ts';
import {
  type Change,
  checkRevision,
  type Ledger,
  type LedgerChange,
  revisionOf,
  tagOf,
  withChanges,
  wrapLedger,
} from './ledger.ts';
import { ACCEPT_HINT } from './store-put-back.ts';

/** How often a read is tried. A reader meets a few concurrent writes at most, so more attempts are not needed. */
const READ_ATTEMPTS = 5;
/**
 * How often a write is tried. All writers compete for the ledger, whatever they write; the waits in between give each
 * of them a turn.
 */
const WRITE_ATTEMPTS = 200;
const LONGEST_WAIT_MILLISECONDS = 40;
const ADOPTIONS_AT_ONCE = 32;

/** The ledger changed while a writer looked at records, so that what it saw may be of two different moments. */
class LedgerMoved extends Error {}

/**
 * A record store that serves only what was last written. The ledger, one record that only the holder of the root key
 * can write, has a tag of each record. So every reader notices an older record that somebody put back, one that was
 * deleted and is there again, and one that is gone.
 *
 * A write is one compare-and-set of the ledger, which carries the new records along. Then the records themselves are
 * written, and after them a ledger without them. So a writer that dies in between leaves a whole change and not half of
 * one, and stores need not write two records at once, which a Redis Cluster cannot do.
 */
export class ProvenStore {
  readonly #store: RecordStore;
  readonly #options: KnownLedgerOptions;
  readonly #known: KnownLedger;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: KnownLedgerOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#known = new KnownLedger(options);
  }

  /** The highest generation that is known; undefined before the first administrative write. */
  get generation(): number | undefined {
    return this.#known.newest?.ledger.generation;
  }

  /**
   * What is wrong with the store as a whole. Records for which the newest known ledger vouches are served nevertheless.
   */
  get trouble(): Error | undefined {
    return this.#known.trouble;
  }

  /**
   * Checks that some ledger can vouch for records.
   * @throws StorePutBack, RecordUnreadable if there is none, although there should be
   */
  vouch(): void {
    if (this.#known.newest === undefined && this.#known.trouble !== undefined) throw this.#known.trouble;
  }

  /**
   * Looks whether records were changed; `onChange` is told which.
   * @throws GatewayError KeyStoreUnavailable
   */
  refresh(): Promise<void> {
    return this.#known.refresh();
  }

  /**
   * Returns the record if it is the one that was last written; undefined if it was deleted, whatever the store has.
   * @throws RecordUnreadable if it is older, or gone; GatewayError KeyStoreUnavailable
   */
  async get(name: string): Promise<StoredRecord | undefined> {
    const known = this.#known;
    for (let attempt = 1; ; attempt++) {
      const before = known.newest;
      const stored = await this.#store.get(name);
      // If record and ledger disagree, either may be the newer one, so the ledger is read again.
      if (!known.agrees(name, stored)) await known.refresh();
      if (known.agrees(name, stored)) return known.lastWritten(name, stored);
      if (known.newest === before || attempt === READ_ATTEMPTS) return this.#refuse(name, stored);
    }
  }

  /** Returns the record as the store has it, whatever the ledger says. */
  unproven(name: string): Promise<StoredRecord | undefined> {
    return this.#store.get(name);
  }

  /**
   * Writes a record, and returns its new revision.
   * @throws RevisionConflict, StorePutBack, GatewayError KeyStoreUnavailable (then it may have been written or not)
   */
  async put(name: string, bytes: Buffer, expected: ExpectedRevision): Promise<number> {
    await this.#commit([{ name, bytes, expected }]);
    return revisionOf(tagOf(bytes));
  }

  /**
   * Writes and deletes several records, all of them or none. Deletions of what is not there are passed over.
   * @throws as `put`; RevisionConflict where one of them is not at its expected revision
   */
  async changeTogether(changes: readonly Change[]): Promise<void> {
    if (changes.length > 0) await this.#commit(changes);
  }

  /**
   * Deletes a record. Returns whether there was one.
   * @throws RevisionConflict, StorePutBack, GatewayError KeyStoreUnavailable (then it may have been deleted or not)
   */
  delete(name: string, expected: number | undefined): Promise<boolean> {
    return this.#commit([{ name, bytes: undefined, expected }]);
  }

  /** Returns the names of all records, in no order. */
  async names(): Promise<readonly string[]> {
    await this.refresh();
    const { newest } = this.#known;
    return newest === undefined ? storedNames(this.#store) : [...newest.ledger.records.keys()];
  }

  /**
   * Returns the names that the store has and the ledger lacks: of records that were put back, or that are not
   * Sealgate's.
   */
  async unlisted(): Promise<readonly string[]> {
    const stored = await storedNames(this.#store);
    await this.refresh();
    const { newest } = this.#known;
    return newest === undefined ? [] : stored.filter((name) => !newest.ledger.records.has(name));
  }

  #refuse(name: string, stored: StoredRecord | undefined): undefined {
    const { onPutBack } = this.#options;
    if (this.#known.newest?.ledger.records.has(name) !== true) {
      onPutBack('record', `The record ${name} is in the key store, and was removed: it counts as not there.`);
      return undefined;
    }
    const reason =
      stored === undefined
        ? 'it is gone from the store, and Sealgate did not remove it'
        : 'it is not the one that was last written (an older one was put back, or an older release wrote it)';
    const error = new RecordUnreadable(name, `${reason}. ${ACCEPT_HINT.slice(0, -1)}`);
    onPutBack('record', error.message);
    throw error;
  }

  /** Makes changes of this process one after another, because there is one ledger. */
  #commit(changes: readonly Change[]): Promise<boolean> {
    const done = this.#writing.catch(() => undefined).then(() => this.#commitNow(changes));
    this.#writing = done;
    return done;
  }

  async #commitNow(changes: readonly Change[]): Promise<boolean> {
    for (let attempt = 1; attempt <= WRITE_ATTEMPTS; attempt++) {
      try {
        return await this.#attempt(changes);
      } catch (error) {
        if (!(error instanceof LedgerMoved)) throw error;
      }
      await delay(Math.random() * Math.min(attempt, LONGEST_WAIT_MILLISECONDS));
    }
    throw keyStoreUnavailable(new Error('other writers were first, at every attempt'));
  }

  async #attempt(changes: readonly Change[]): Promise<boolean> {
    const stored = await this.#known.read();
    const ledger = stored?.ledger ?? (await ledgerOfAll(this.#store));
    for (const change of changes) checkRevision(change, ledger);
    for (const [other, pending] of ledger.pending) await this.#finish(other, pending, stored?.revision);
    const due: Due[] = [];
    let wasThere = false;
    for (const { name, bytes } of changes) {
      const at = await this.#store.revision(name);
      if (bytes === undefined && !ledger.records.has(name)) {
        // The record was put back after its removal, or another writer has just made it. `#finish` asks the ledger
        // which.
        if (at !== undefined) await this.#finish(name, undefined, stored?.revision);
        wasThere ||= at !== undefined;
        continue;
      }
      due.push({ name, bytes, at });
    }
    if (due.length === 0) return wasThere;
    const next = withChanges(ledger, due);
    const wrapped = await wrapLedger(next, this.#options.rootKey, new Date());
    const evenIfFull = changes.every(({ bytes }) => bytes === undefined);
    const revision = await this.#putLedger(wrapped, stored?.revision, { evenIfFull });
    this.#known.take({ ledger: next, tag: tagOf(wrapped), revision });
    await this.#carryOut(due, { ledger: next, revision });
    await this.#options.highest?.settled();
    return true;
  }

  /** Writes the records, and then a ledger that no longer carries them along. */
  async #carryOut(due: readonly Due[], { ledger, revision }: Pick<StoredLedger, 'ledger' | 'revision'>): Promise<void> {
    try {
      for (const { name, bytes, at } of due) await this.#write(name, bytes, at);
      const next = { ...ledger, generation: ledger.generation + 1, pending: new Map() };
      const wrapped = await wrapLedger(next, this.#options.rootKey, new Date());
      const written = await this.#putLedger(wrapped, revision, { evenIfFull: true });
      this.#known.take({ ledger: next, tag: tagOf(wrapped), revision: written });
    } catch (error) {
      // Another writer found the changes in the ledger, and has written all of them or later ones.
      if (!(error instanceof RevisionConflict || error instanceof LedgerMoved)) throw error;
    }
  }

  async #putLedger(
    wrapped: Buffer,
    revision: number | undefined,
    { evenIfFull }: Pick<PutOptions, 'evenIfFull'>,
  ): Promise<number> {
    try {
      return await this.#store.put(LEDGER_NAME, wrapped, { expectedRevision: revision ?? 'absent', evenIfFull });
    } catch (error) {
      throw error instanceof RevisionConflict ? new LedgerMoved() : error;
    }
  }

  /**
   * Makes the store's record what the ledger says it is. It replaces only the record that was there while the ledger
   * said so; otherwise it could undo a later change.
   * @throws LedgerMoved
   */
  async #finish(name: string, bytes: Buffer | undefined, ledgerRevision: number | undefined): Promise<void> {
    const stored = await this.#store.get(name);
    if ((stored && tagOf(stored.bytes)) === (bytes && tagOf(bytes))) return;
    if ((await this.#store.revision(LEDGER_NAME)) !== ledgerRevision) throw new LedgerMoved();
    try {
      await this.#write(name, bytes, stored?.revision);
    } catch (error) {
      throw error instanceof RevisionConflict ? new LedgerMoved() : error;
    }
  }

  async #write(name: string, bytes: Buffer | undefined, at: number | undefined): Promise<void> {
    if (bytes !== undefined) await this.#store.put(name, bytes, { expectedRevision: at ?? 'absent', evenIfFull: true });
    else if (at !== undefined) await this.#store.delete(name, { expectedRevision: at });
  }
}

/** A change that the ledger has already and the store has not yet. */
interface Due extends LedgerChange {
  /** The store's revision of what is to be replaced; undefined if nothing is there. */
  readonly at: number | undefined;
}

/** Returns the names of all records in the store except the ledger. */
async function storedNames(store: RecordStore): Promise<string[]> {
  const names: string[] = [];
  for await (const name of store.list('')) if (name !== LEDGER_NAME) names.push(name);
  return names;
}

/**
 * Makes a ledger of generation 0 over all records as they are. Names that are not Sealgate's are left out.
 * @param look is given each record; what it throws is thrown
 */
export async function ledgerOfAll(
  store: RecordStore,
  look?: (name: string, wrapped: Buffer) => Promise<void>,
): Promise<Ledger> {
  const records = new Map<string, string>();
  const rest = (await storedNames(store)).filter((name) => parseRecordName(name) !== undefined).values();
  const reader = async (): Promise<void> => {
    for (const name of rest) {
      const stored = await store.get(name);
      if (stored === undefined) continue;
      await look?.(name, stored.bytes);
      records.set(name, tagOf(stored.bytes));
    }
  };
  await Promise.all(Array.from({ length: ADOPTIONS_AT_ONCE }, reader));
  return { generation: 0, records, pending: new Map() };
}
