import { performance } from 'node:perf_hooks';
import type { HighestGeneration } from './ledger/generation-file.ts';
import type { RecordPut } from './ledger/ledger.ts';
import { ProvenStore } from './ledger/proven-store.ts';
import { openPayload, type Payload, wrapPayload } from './payload.ts';
import { isRecordId, LEDGER_NAME, type RecordKindName, recordName } from './record-name.ts';
import type { RootKey } from './root/root-key.ts';
import { type CacheLimits, type CacheUse, DEFAULT_CACHE_LIMITS, RecordCache } from './store/record-cache.ts';
import {
  type ExpectedRevision,
  inTime,
  isKeyStoreUnavailable,
  type KeyStoreObserver,
  type RecordStore,
} from './store/record-store.ts';

/**
 * How one kind of record becomes a value and back. `decode` runs once for each load, so it may do expensive work, such
 * as making KeyObjects. All requests share the value that it returns, so nobody may change it.
 */
export interface RecordKind<T> {
  readonly name: RecordKindName;
  /** @throws Error if a field is missing or wrong; the message must not quote a value */
  decode(payload: Payload, id: string): T;
  encode(value: T): Payload;
}

/** A record that was read past the cache, with the revision at which it may be changed. */
export interface FreshRecord<T> {
  readonly value: T;
  readonly revision: number;
}

export interface RecordsOptions {
  readonly store: RecordStore;
  readonly rootKey: RootKey;
  readonly limits?: Partial<CacheLimits>;
  /** Returns milliseconds that never run backwards. */
  readonly monotonicNow?: () => number;
  readonly observer?: KeyStoreObserver;
  /** The highest generation of the store that was seen here before. */
  readonly highest?: HighestGeneration | undefined;
  /** Is called with a sentence for the operator when an older record, or an older store, was put back. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** The most warnings, each given once: whoever can write to the store could cause any number of them. */
const MOST_WARNINGS = 100;
/** How many records are deleted with one change of the ledger, which is as long as there are records. */
const DELETIONS_AT_ONCE = 500;

/**
 * Typed records over a store of opaque ones. It wraps and unwraps records under the root key and keeps opened ones in a
 * cache. The store tells it what changed, and it serves only what was last written (ProvenStore).
 */
export class Records {
  readonly #store: RecordStore;
  readonly #proven: ProvenStore;
  readonly #rootKey: RootKey;
  readonly #cache: RecordCache;
  readonly #now: () => number;
  readonly #observer: KeyStoreObserver | undefined;
  readonly #onWarning: ((message: string) => void) | undefined;
  readonly #warned = new Set<string>();
  #looking = false;

  private constructor({ store, rootKey, limits, monotonicNow, observer, highest, onWarning }: RecordsOptions) {
    this.#store = store;
    this.#rootKey = rootKey;
    this.#observer = observer;
    this.#onWarning = onWarning;
    this.#proven = new ProvenStore({
      store,
      rootKey,
      highest,
      onChange: (names) => this.#cache.changed(names),
      onPutBack: (what, sentence) => this.#putBack(what, sentence),
    });
    this.#now = monotonicNow ?? (() => performance.now());
    this.#cache = new RecordCache({
      limits: { ...DEFAULT_CACHE_LIMITS, ...limits },
      monotonicNow: this.#now,
      observer,
    });
  }

  /** Resolves once changes in the store are heard. Closing the store ends that. */
  static async open(options: RecordsOptions): Promise<Records> {
    const records = new Records(options);
    await options.store.watch(
      (names) => records.#heard(names),
      () => void records.#look(),
    );
    await records.#proven.refresh();
    return records;
  }

  /** Is called by the store's watch with the names that changed. `#look` finds changes whose message was lost. */
  #heard(names: readonly string[] | 'all'): void {
    this.#cache.changed(names);
    if (names === 'all' || names.includes(LEDGER_NAME)) void this.#look({ confirms: false });
  }

  /**
   * Looks at every beat of the watch whether the ledger changed; the records that it names are then read again. Only
   * such a look proves that cached records are right.
   */
  async #look({ confirms }: { readonly confirms: boolean } = { confirms: true }): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const startedAt = this.#now();
    try {
      await this.#proven.refresh();
      if (confirms) this.#cache.confirmed(startedAt);
      this.#observer?.beat?.(true);
    } catch (error) {
      this.#observer?.beat?.(!isKeyStoreUnavailable(error));
      this.#cache.changed('all');
    } finally {
      this.#looking = false;
    }
  }

  #putBack(what: 'record' | 'store', sentence: string): void {
    this.#observer?.putBack?.(what);
    if (this.#warned.has(sentence) || this.#warned.size >= MOST_WARNINGS) return;
    this.#warned.add(sentence);
    this.#onWarning?.(sentence);
  }

  /**
   * Returns the record, from the cache unless the cached one is too old (CacheLimits).
   * @throws GatewayError KeyStoreUnavailable, RecordUnreadable
   */
  get<T>(kind: RecordKind<T>, id: string, use: CacheUse = 'read'): Promise<T | undefined> {
    return this.#cache.get(recordName(kind.name, id), () => this.#load(kind, id), use);
  }

  /**
   * Returns the record as the store holds it now, and puts it into the cache. Call it if the cached one cannot be the
   * newest.
   * @throws GatewayError KeyStoreUnavailable, RecordUnreadable
   */
  refresh<T>(kind: RecordKind<T>, id: string): Promise<T | undefined> {
    return this.#cache.refresh(recordName(kind.name, id), () => this.#load(kind, id));
  }

  /**
   * Returns the record as the store holds it now. The cache is neither asked nor changed.
   * @throws GatewayError KeyStoreUnavailable, RecordUnreadable, StorePutBack
   */
  async read<T>(kind: RecordKind<T>, id: string): Promise<FreshRecord<T> | undefined> {
    const name = recordName(kind.name, id);
    if (!isRecordId(id)) return undefined;
    const stored = await this.#timed('get', () => this.#proven.get(name));
    // The record is opened before `vouch`, so that a wrong root key is reported as a wrong root key.
    const value = stored && (await this.#open(kind, { name, id, wrapped: stored.bytes }));
    this.#proven.vouch();
    return value && stored && { value, revision: stored.revision };
  }

  /** Opens the record that the store has, even if it is not the one that was last written. @throws as `read` */
  async tryOpening<T>(kind: RecordKind<T>, id: string): Promise<void> {
    const name = recordName(kind.name, id);
    const stored = await this.#timed('get', () => this.#proven.unproven(name));
    if (stored !== undefined) await this.#open(kind, { name, id, wrapped: stored.bytes });
  }

  /** @throws RevisionConflict, GatewayError KeyStoreUnavailable (then the record may have been written or not) */
  async put<T>(kind: RecordKind<T>, id: string, value: T, expectedRevision?: ExpectedRevision): Promise<number> {
    const name = recordName(kind.name, id);
    const wrapped = await wrapPayload(name, kind.encode(value), this.#rootKey);
    return this.#changing('put', [name], () => this.#proven.put(name, wrapped, expectedRevision));
  }

  /**
   * Writes several records of a kind, all of them or none.
   * @throws as `put`; RevisionConflict where one of them is not at its expected revision
   */
  async putTogether<T>(kind: RecordKind<T>, puts: readonly ValuePut<T>[]): Promise<void> {
    const wrapped = puts.map(async ({ id, value, expected }): Promise<RecordPut> => {
      const name = recordName(kind.name, id);
      return { name, bytes: await wrapPayload(name, kind.encode(value), this.#rootKey), expected };
    });
    const changes = await Promise.all(wrapped);
    const names = changes.map(({ name }) => name);
    await this.#changing('put', names, () => this.#proven.changeTogether(changes));
  }

  /** Returns whether there was a record. @throws RevisionConflict, GatewayError KeyStoreUnavailable */
  async delete<T>(kind: RecordKind<T>, id: string, expectedRevision?: number): Promise<boolean> {
    const name = recordName(kind.name, id);
    return this.#changing('delete', [name], () => this.#proven.delete(name, expectedRevision));
  }

  /** Deletes records of a kind, some hundreds at a time. @throws GatewayError KeyStoreUnavailable */
  async deleteAll<T>(kind: RecordKind<T>, ids: readonly string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += DELETIONS_AT_ONCE) {
      const names = ids.slice(at, at + DELETIONS_AT_ONCE).map((id) => recordName(kind.name, id));
      const deletions = names.map((name) => ({ name, bytes: undefined, expected: undefined }));
      await this.#changing('delete', names, () => this.#proven.changeTogether(deletions));
    }
  }

  async #changing<T>(verb: 'put' | 'delete', names: readonly string[], change: () => Promise<T>): Promise<T> {
    try {
      return await this.#timed(verb, change);
    } finally {
      for (const name of names) this.#cache.forget(name);
    }
  }

  /** Returns the ids of all records of a kind, sorted. */
  async list<T>(kind: RecordKind<T>): Promise<string[]> {
    const prefix = recordName(kind.name, '');
    const names = await this.names();
    const ids = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
    return ids.sort();
  }

  /** Returns the names of all records, in no order. @throws GatewayError KeyStoreUnavailable */
  names(): Promise<readonly string[]> {
    return this.#timed('list', () => this.#proven.names());
  }

  /** Returns names in the store that count as absent: records that were put back, or that are not Sealgate's. */
  unlisted(): Promise<readonly string[]> {
    return this.#timed('list', () => this.#proven.unlisted());
  }

  /** The highest generation of the store that was seen; undefined before the first administrative write. */
  get generation(): number | undefined {
    return this.#proven.generation;
  }

  /** Is set while the store as a whole is older than it was seen to be. */
  get trouble(): Error | undefined {
    return this.#proven.trouble ?? this.#store.trouble;
  }

  /** Resolves if the store answers. @throws GatewayError KeyStoreUnavailable */
  check(): Promise<void> {
    return this.#timed('check', () => this.#store.check());
  }

  /**
   * Resolves if requests can be served, even if only from the cache; readiness calls it. The text says what is wrong
   * nevertheless, in words that may be shown to anybody; it is undefined if nothing is.
   * @throws GatewayError KeyStoreUnavailable
   */
  async readiness(): Promise<string | undefined> {
    try {
      await inTime(this.check());
    } catch (error) {
      const seconds = Math.floor(this.#cache.servesForSeconds());
      if (seconds <= 0) throw error;
      return `does not answer; what is cached serves for ${seconds} s more`;
    }
    return this.trouble && 'was put back to an older state, which is refused; see the log';
  }

  /** Returns for how many seconds the oldest cached record has not been confirmed. */
  cacheAgeSeconds(): number {
    return this.#cache.oldestAgeSeconds();
  }

  async #load<T>(kind: RecordKind<T>, id: string): Promise<T | undefined> {
    return (await this.read(kind, id))?.value;
  }

  #open<T>(kind: RecordKind<T>, { name, id, wrapped }: WrappedRecord): Promise<T> {
    return openPayload({ name, wrapped }, this.#rootKey, (payload) => kind.decode(payload, id));
  }

  async #timed<T>(verb: Parameters<KeyStoreObserver['operation']>[0], work: () => Promise<T>): Promise<T> {
    const startedAt = this.#now();
    let outcome: 'ok' | 'error' = 'error';
    try {
      const result = await work();
      outcome = 'ok';
      return result;
    } finally {
      this.#observer?.operation(verb, (this.#now() - startedAt) / 1000, outcome);
    }
  }
}

/** A value to write, and the revision at which its record must be. */
export interface ValuePut<T> {
  readonly id: string;
  readonly value: T;
  readonly expected: ExpectedRevision;
}

interface WrappedRecord {
  readonly name: string;
  readonly id: string;
  readonly wrapped: Buffer;
}
