import { performance } from 'node:perf_hooks';
import { type CacheLimits, type CacheUse, DEFAULT_CACHE_LIMITS, RecordCache } from './record-cache.ts';
import { isRecordId, type RecordKindName, recordName } from './record-name.ts';
import type { ExpectedRevision, KeyStoreObserver, RecordStore } from './record-store.ts';
import type { RootKey } from './root-key.ts';
import { RecordUnreadable } from './wrapped-record.ts';

/** A record's payload: a JSON object whose fields docs/keys.md lists for each kind. */
export type Payload = { readonly [field: string]: unknown };

/**
 * How one kind of record becomes a value and back. `decode` runs once a load, so it may be dear (KeyObjects); what it
 * returns is shared by every request and must not be changed.
 */
export interface RecordKind<T> {
  readonly name: RecordKindName;
  /** @throws Error when a field is missing or wrong; the message must not quote a value */
  decode(payload: Payload, id: string): T;
  encode(value: T): Payload;
}

/** A record read past the cache, with the revision to change it at. */
export interface FreshRecord<T> {
  readonly value: T;
  readonly revision: number;
}

export interface RecordsOptions {
  readonly store: RecordStore;
  readonly rootKey: RootKey;
  readonly limits?: Partial<CacheLimits>;
  /** Milliseconds that never run backwards. */
  readonly monotonicNow?: () => number;
  readonly observer?: KeyStoreObserver;
}

/**
 * Typed records over a store of opaque ones: wraps and unwraps them under the root key, caches them opened, and hears
 * from the store what changed.
 */
export class Records {
  readonly #store: RecordStore;
  readonly #rootKey: RootKey;
  readonly #cache: RecordCache;
  readonly #now: () => number;
  readonly #observer: KeyStoreObserver | undefined;

  private constructor({ store, rootKey, limits, monotonicNow, observer }: RecordsOptions) {
    this.#store = store;
    this.#rootKey = rootKey;
    this.#observer = observer;
    this.#now = monotonicNow ?? (() => performance.now());
    this.#cache = new RecordCache({
      limits: { ...DEFAULT_CACHE_LIMITS, ...limits },
      monotonicNow: this.#now,
      observer,
    });
  }

  /** Resolves once the store's changes are heard. Closing the store ends it. */
  static async open(options: RecordsOptions): Promise<Records> {
    const records = new Records(options);
    const cache = records.#cache;
    await options.store.watch(
      (names) => cache.changed(names),
      () => cache.confirmed(),
    );
    return records;
  }

  /**
   * The record, from the cache where the cache may still be believed.
   * @throws GatewayError KeyStoreUnavailable, RecordUnreadable
   */
  get<T>(kind: RecordKind<T>, id: string, use: CacheUse = 'read'): Promise<T | undefined> {
    return this.#cache.get(recordName(kind.name, id), () => this.#load(kind, id), use);
  }

  /**
   * The record as the store holds it now, into the cache: for when the cached one cannot be the newest.
   * @throws GatewayError KeyStoreUnavailable, RecordUnreadable
   */
  refresh<T>(kind: RecordKind<T>, id: string): Promise<T | undefined> {
    return this.#cache.refresh(recordName(kind.name, id), () => this.#load(kind, id));
  }

  /**
   * The record as the store holds it now, past the cache.
   * @throws GatewayError KeyStoreUnavailable, RecordUnreadable
   */
  async read<T>(kind: RecordKind<T>, id: string): Promise<FreshRecord<T> | undefined> {
    const name = recordName(kind.name, id);
    if (!isRecordId(id)) return undefined;
    const stored = await this.#timed('get', () => this.#store.get(name));
    if (stored === undefined) return undefined;
    return { value: this.#open(kind, { name, id, wrapped: stored.bytes }), revision: stored.revision };
  }

  /** @throws RevisionConflict, GatewayError KeyStoreUnavailable (then it may or may not have been written) */
  async put<T>(kind: RecordKind<T>, id: string, value: T, expectedRevision?: ExpectedRevision): Promise<number> {
    const name = recordName(kind.name, id);
    const plaintext = Buffer.from(JSON.stringify(kind.encode(value)), 'utf8');
    const wrapped = this.#rootKey.wrap(name, plaintext);
    plaintext.fill(0);
    try {
      return await this.#timed('put', () => this.#store.put(name, wrapped, { expectedRevision }));
    } finally {
      this.#cache.forget(name);
    }
  }

  /** @throws RevisionConflict, GatewayError KeyStoreUnavailable */
  async delete<T>(kind: RecordKind<T>, id: string, expectedRevision?: number): Promise<boolean> {
    const name = recordName(kind.name, id);
    try {
      return await this.#timed('delete', () => this.#store.delete(name, { expectedRevision }));
    } finally {
      this.#cache.forget(name);
    }
  }

  /** Ids of all records of a kind, sorted. */
  async list<T>(kind: RecordKind<T>): Promise<string[]> {
    const prefix = recordName(kind.name, '');
    const ids: string[] = [];
    await this.#timed('list', async () => {
      for await (const name of this.#store.list(prefix)) ids.push(name.slice(prefix.length));
    });
    return ids.sort();
  }

  /** For readiness. @throws GatewayError KeyStoreUnavailable */
  check(): Promise<void> {
    return this.#timed('check', () => this.#store.check());
  }

  /** Seconds since the oldest cached record was known to be right. */
  cacheAgeSeconds(): number {
    return this.#cache.oldestAgeSeconds();
  }

  async #load<T>(kind: RecordKind<T>, id: string): Promise<T | undefined> {
    return (await this.read(kind, id))?.value;
  }

  #open<T>(kind: RecordKind<T>, { name, id, wrapped }: WrappedRecord): T {
    const plaintext = this.#rootKey.unwrap(name, wrapped);
    try {
      return kind.decode(parsePayload(plaintext), id);
    } catch (error) {
      // JSON.parse quotes what it could not parse, so its message goes no further.
      const reason = error instanceof PayloadInvalid ? error.message : 'its payload is not what this version writes';
      throw new RecordUnreadable(name, reason);
    } finally {
      plaintext.fill(0);
    }
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

interface WrappedRecord {
  readonly name: string;
  readonly id: string;
  readonly wrapped: Buffer;
}

/** Thrown by a kind's `decode`: the message names the field, never its value. */
export class PayloadInvalid extends Error {
  constructor(field: string) {
    super(`its field ${field} is missing or wrong`);
    this.name = 'PayloadInvalid';
  }
}

function parsePayload(plaintext: Buffer): Payload {
  const payload: unknown = JSON.parse(plaintext.toString('utf8'));
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) throw new PayloadInvalid('(all)');
  return payload as Payload;
}

/** A text field of a payload, checked. */
export function textField(payload: Payload, field: string, pattern?: RegExp): string {
  const value = payload[field];
  if (typeof value !== 'string' || (pattern !== undefined && !pattern.test(value))) throw new PayloadInvalid(field);
  return value;
}

/** A field that records written before it was thought of do not have: then it is false. */
export function laterFlag(payload: Payload, field: string): boolean {
  const value = payload[field] ?? false;
  if (typeof value !== 'boolean') throw new PayloadInvalid(field);
  return value;
}

/** An object in a payload that need not be there, checked. */
export function laterObject(payload: Payload, field: string): Payload | undefined {
  const value = payload[field];
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new PayloadInvalid(field);
  return value as Payload;
}

/** A list of objects in a payload, checked. */
export function listField(payload: Payload, field: string): readonly Payload[] {
  const value = payload[field];
  if (!Array.isArray(value)) throw new PayloadInvalid(field);
  for (const item of value) if (typeof item !== 'object' || item === null) throw new PayloadInvalid(field);
  return value as readonly Payload[];
}
