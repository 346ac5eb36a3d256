import { isKeyStoreUnavailable, type KeyStoreObserver, keyStoreUnavailable } from './record-store.ts';

/** For how long records that were read from the store may be believed. */
export interface CacheLimits {
  /** A record is read again after this time, even if no change of it was announced. */
  readonly maxAgeSeconds: number;
  /**
   * While the store is unreachable, a record serves until this time after it was last known to be right; then requests
   * fail. New objects are sealed only until the smaller of this and maxAgeSeconds, because a key that may be gone from
   * the store must not protect more.
   */
  readonly staleSeconds: number;
  /**
   * How long "no such record" is believed. It is short, so that a new access key works soon even if its change was not
   * announced.
   */
  readonly absentSeconds: number;
  readonly entries: number;
  /**
   * The bound for absent records is separate, so that a flood of invented access keys cannot push out the records of
   * real ones.
   */
  readonly absentEntries: number;
}

export const DEFAULT_CACHE_LIMITS: CacheLimits = {
  maxAgeSeconds: 60,
  staleSeconds: 300,
  absentSeconds: 5,
  entries: 10_000,
  absentEntries: 1_000,
};

/**
 * After the store failed, it is asked once in this time; requests that can be served from the cache do not wait for it.
 */
const RETRY_MILLISECONDS = 1000;

/**
 * `seal` is for a key on which new objects will depend; it is believed for less long while the store is unreachable.
 * `find` is for a record that mostly does not exist: that there is none is believed as long as a record would be. Its
 * name must be one that no stranger can invent, because it takes a place among the records.
 */
export type CacheUse = 'read' | 'seal' | 'find';

interface Entry<T> {
  readonly value: T;
  readonly loadedAt: number;
  /** When it was last known to be what the store holds. It no longer grows once `suspect` is set. */
  confirmedAt: number;
  /** Whether the store said that something may have changed; then it is loaded again at the next use. */
  suspect: boolean;
}

interface Load<T> {
  readonly promise: Promise<T | undefined>;
  /**
   * Whether a change was announced during the load. The result may then be the old record: it is returned and not kept.
   */
  overtaken: boolean;
  suspect: boolean;
}

export interface RecordCacheOptions {
  readonly limits: CacheLimits;
  /** Returns milliseconds that never run backwards. */
  readonly monotonicNow: () => number;
  readonly observer: KeyStoreObserver | undefined;
}

/**
 * Caches values by record name. A miss is loaded once for all who ask; while the store is unreachable, CacheLimits say
 * what is served. It holds records that are unwrapped and parsed, with their keys as KeyObjects, so that a hit is one
 * Map lookup and two comparisons.
 */
export class RecordCache {
  readonly #entries = new Map<string, Entry<unknown>>();
  readonly #absentUntil = new Map<string, number>();
  readonly #loads = new Map<string, Load<unknown>>();
  readonly #limits: CacheLimits;
  readonly #maxAgeMilliseconds: number;
  readonly #now: () => number;
  readonly #observer: KeyStoreObserver | undefined;
  /** The last moment at which the store's watch was known to have announced every change. */
  #watchConfirmedAt = Number.NEGATIVE_INFINITY;
  /** Is set while the store is unreachable: before this moment it is not asked for records that can be served stale. */
  #retryAt: number | undefined;

  constructor({ limits, monotonicNow, observer }: RecordCacheOptions) {
    this.#limits = limits;
    this.#maxAgeMilliseconds = limits.maxAgeSeconds * 1000;
    this.#now = monotonicNow;
    this.#observer = observer;
  }

  /**
   * Returns the value for `name`, from the cache if it is fresh. T is what `load` yields, always the same type for one
   * name.
   * @throws GatewayError KeyStoreUnavailable, and whatever else `load` throws: a record that cannot be read is never
   * replaced by an older cached one
   */
  async get<T>(name: string, load: (name: string) => Promise<T | undefined>, use: CacheUse): Promise<T | undefined> {
    const entry = this.#entries.get(name) as Entry<T> | undefined;
    const now = this.#now();
    if (entry !== undefined) {
      if (!entry.suspect && now - entry.loadedAt < this.#maxAgeMilliseconds) {
        this.#observer?.cache('hit');
        return entry.value;
      }
      return this.#recheck(name, { entry, load, use });
    }
    const absentUntil = this.#absentUntil.get(name);
    if (absentUntil !== undefined && now < absentUntil) {
      this.#observer?.cache('hit');
      return undefined;
    }
    return this.refresh(name, load, use);
  }

  /**
   * Returns the value as the store holds it now, which replaces the cached one.
   * @throws as `get` does
   */
  async refresh<T>(
    name: string,
    load: (name: string) => Promise<T | undefined>,
    use: CacheUse = 'read',
  ): Promise<T | undefined> {
    this.#observer?.cache('miss');
    try {
      return await this.#load(name, load, use);
    } catch (error) {
      throw isKeyStoreUnavailable(error) ? forClients(error) : error;
    }
  }

  /** Must be called with what changed in the store, or `all` if that is not known. */
  changed(names: readonly string[] | 'all'): void {
    if (names === 'all') this.#suspectAll();
    else for (const name of names) this.forget(name);
  }

  /**
   * Removes an entry that is known to be wrong, such as a revoked credential. It is not served while the store is
   * unreachable either.
   */
  forget(name: string): void {
    this.#entries.delete(name);
    this.#absentUntil.delete(name);
    const load = this.#loads.get(name);
    if (load === undefined) return;
    load.overtaken = true;
    this.#loads.delete(name); // requests from now on must see the change
  }

  /**
   * Must be called when the store's watch is known to work: every entry that was not named since `at` is still right.
   */
  confirmed(at = this.#now()): void {
    this.#retryAt = undefined;
    this.#watchConfirmedAt = at;
  }

  /** Returns for how many seconds the oldest entry has not been confirmed; a gauge shows it. */
  oldestAgeSeconds(): number {
    const now = this.#now();
    let oldest = now;
    for (const entry of this.#entries.values()) oldest = Math.min(oldest, this.#confirmedAt(entry));
    return (now - oldest) / 1000;
  }

  /**
   * Returns for how many seconds at least one record would be served if the store became unreachable now; 0 or less
   * means none.
   */
  servesForSeconds(): number {
    let newest = Number.NEGATIVE_INFINITY;
    for (const entry of this.#entries.values()) newest = Math.max(newest, this.#confirmedAt(entry));
    return this.#limits.staleSeconds - (this.#now() - newest) / 1000;
  }

  async #recheck<T>(name: string, { entry, load, use }: Recheck<T>): Promise<T | undefined> {
    const away = this.#retryAt;
    if (away !== undefined && this.#servesStale(entry, use)) {
      if (this.#now() >= away) {
        this.#retryAt = this.#now() + RETRY_MILLISECONDS;
        this.#load(name, load, use).catch(() => undefined);
      }
      this.#observer?.cache('stale');
      return entry.value;
    }
    this.#observer?.cache('miss');
    try {
      return await this.#load(name, load, use);
    } catch (error) {
      if (!isKeyStoreUnavailable(error)) throw error;
      // Only what is still in the cache may be served: an entry that was named as changed meanwhile is gone from it.
      if (this.#entries.get(name) !== entry || !this.#servesStale(entry, use)) throw forClients(error);
      this.#observer?.cache('stale');
      return entry.value;
    }
  }

  #servesStale(entry: Entry<unknown>, use: CacheUse): boolean {
    const { staleSeconds, maxAgeSeconds } = this.#limits;
    const seconds = use === 'seal' ? Math.min(staleSeconds, maxAgeSeconds) : staleSeconds;
    return this.#now() - this.#confirmedAt(entry) < seconds * 1000;
  }

  #confirmedAt(entry: Entry<unknown>): number {
    return entry.suspect ? entry.confirmedAt : Math.max(entry.confirmedAt, this.#watchConfirmedAt);
  }

  #load<T>(name: string, load: (name: string) => Promise<T | undefined>, use: CacheUse): Promise<T | undefined> {
    const running = this.#loads.get(name) as Load<T> | undefined;
    if (running !== undefined) return running.promise;
    const startedAt = this.#now();
    const mine: Load<T> = {
      overtaken: false,
      suspect: false,
      promise: load(name).then(
        (value) => {
          this.#settled(name, mine);
          this.#retryAt = undefined;
          if (!mine.overtaken) this.#keep(name, { value, startedAt, suspect: mine.suspect }, use);
          return value;
        },
        (error: unknown) => {
          this.#settled(name, mine);
          if (isKeyStoreUnavailable(error)) this.#retryAt = this.#now() + RETRY_MILLISECONDS;
          else this.#entries.delete(name);
          throw error;
        },
      ),
    };
    this.#loads.set(name, mine);
    return mine.promise;
  }

  #settled(name: string, load: Load<unknown>): void {
    if (this.#loads.get(name) === load) this.#loads.delete(name);
  }

  #keep(name: string, { value, startedAt, suspect }: Loaded, use: CacheUse): void {
    if (value === undefined && use !== 'find') {
      this.#entries.delete(name);
      if (suspect) return;
      makeRoom(this.#absentUntil, name, this.#limits.absentEntries);
      this.#absentUntil.set(name, startedAt + this.#limits.absentSeconds * 1000);
      return;
    }
    this.#absentUntil.delete(name);
    makeRoom(this.#entries, name, this.#limits.entries);
    this.#entries.set(name, { value, loadedAt: startedAt, confirmedAt: startedAt, suspect });
  }

  #suspectAll(): void {
    this.#absentUntil.clear();
    for (const load of this.#loads.values()) load.suspect = true;
    for (const entry of this.#entries.values()) {
      entry.confirmedAt = this.#confirmedAt(entry);
      entry.suspect = true;
    }
  }
}

interface Recheck<T> {
  readonly entry: Entry<T>;
  readonly load: (name: string) => Promise<T | undefined>;
  readonly use: CacheUse;
}

interface Loaded {
  readonly value: unknown;
  readonly startedAt: number;
  readonly suspect: boolean;
}

/** Removes the entry that was loaded first if the map is full; Map keeps the order of insertion. */
function makeRoom(map: Map<string, unknown>, name: string, most: number): void {
  map.delete(name);
  if (map.size < most) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}

/** Hides paths, hosts and Redis's words, which are for the log; the client is told only that it may try again. */
function forClients(error: unknown): Error {
  return keyStoreUnavailable(new Error('the key store is away', { cause: error }));
}
