import { GatewayError } from '../../errors.ts';
import type { RootKey } from '../root/root-key.ts';
import {
  type ChangeListener,
  keyStoreUnavailable,
  type RecordStore,
  type StoredRecord,
} from '../store/record-store.ts';
import type { HighestGeneration } from './generation-file.ts';
import { revisionOf, tagOf } from './ledger.ts';
import { olderStore, type StorePutBack } from './store-put-back.ts';
import { openView, type TenantView, viewPlace } from './tenant-view.ts';

/** How often the view is looked at, and for how long it is used without looking. A change is seen within a second. */
const BEAT_MILLISECONDS = 500;

export interface TenantViewStoreOptions {
  /** The store that holds the view. It is not listed, watched or written. */
  readonly store: RecordStore;
  /** The tenant's wrap key. */
  readonly key: RootKey;
  readonly tenant: string;
  readonly highest: HighestGeneration | undefined;
  /** Returns milliseconds that never run backwards. */
  readonly monotonicNow: () => number;
  /** Is called with a sentence for the operator whenever an older view was put back. */
  readonly onPutBack: (sentence: string) => void;
}

/** The key store of a sidecar: the records of one tenant, read from its view. */
export class TenantViewStore implements RecordStore {
  readonly #options: TenantViewStoreOptions;
  #view: TenantView = { generation: 0, records: new Map() };
  /** The revision of the view that was last looked at, whether it was believed or not. */
  #seen: number | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #trouble: StorePutBack | undefined;
  #looking: Promise<void> | undefined;
  #onChange: ChangeListener | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(options: TenantViewStoreOptions) {
    this.#options = options;
  }

  /**
   * Opens the tenant's view.
   * @throws StorePutBack, RecordUnreadable, GatewayError KeyStoreUnavailable, KeyUnavailable if there is no view
   */
  static async open(options: TenantViewStoreOptions): Promise<TenantViewStore> {
    const store = new TenantViewStore(options);
    await store.#look();
    if (store.#trouble !== undefined) throw store.#trouble;
    if (store.#view.records.size > 0) return store;
    const { tenant } = options;
    const words =
      `The key store has nothing for a sidecar of the tenant ${tenant}. Make it with: sealgate tenant ` +
      `wrap-key ${tenant}`;
    throw new GatewayError('KeyUnavailable', words, { source: 'keys' });
  }

  get trouble(): Error | undefined {
    return this.#trouble;
  }

  async get(name: string): Promise<StoredRecord | undefined> {
    await this.#lookIfOld();
    const bytes = this.#view.records.get(name);
    return bytes && { bytes, revision: revisionOf(tagOf(bytes)) };
  }

  async revision(name: string): Promise<number | undefined> {
    return (await this.get(name))?.revision;
  }

  put(): Promise<number> {
    return Promise.reject(readOnly());
  }

  delete(): Promise<boolean> {
    return Promise.reject(readOnly());
  }

  async *list(prefix: string): AsyncIterable<string> {
    await this.#lookIfOld();
    for (const name of this.#view.records.keys()) if (name.startsWith(prefix)) yield name;
  }

  async watch(onChange: ChangeListener, onConfirmed?: () => void): Promise<void> {
    this.#onChange = onChange;
    const beat = async (): Promise<void> => {
      try {
        await this.#look();
        onConfirmed?.();
      } catch {
        onChange('all');
      }
    };
    this.#timer = setInterval(() => void beat(), BEAT_MILLISECONDS);
    this.#timer.unref();
  }

  check(): Promise<void> {
    return this.#options.store.check();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#options.store.close();
  }

  async #lookIfOld(): Promise<void> {
    if (this.#options.monotonicNow() - this.#lookedAt >= BEAT_MILLISECONDS) await this.#look();
  }

  /** Returns the least generation to believe once the view is gone: a view that was removed must not come back. */
  #afterSeen(): number {
    const { generation, records } = this.#view;
    return records.size === 0 ? generation : generation + 1;
  }

  /** Runs one look at a time, so that no older view replaces a newer one. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(): Promise<void> {
    const { store, tenant, key, highest, monotonicNow, onPutBack } = this.#options;
    const startedAt = monotonicNow();
    const place = viewPlace(tenant);
    const revision = await store.revision(place);
    if (revision !== this.#seen || this.#lookedAt === Number.NEGATIVE_INFINITY) {
      const stored = await store.get(place);
      const least = Math.max(this.#view.generation, highest?.value ?? 0);
      // If there is no view, the tenant was removed, and nobody is admitted.
      const view = stored && (await openView(tenant, stored.bytes, key));
      if (view !== undefined && view.generation < least) {
        this.#trouble = olderStore(view.generation, least);
        onPutBack(this.#trouble.message);
      } else {
        const before = this.#view;
        this.#trouble = undefined;
        this.#view = view ?? { generation: this.#afterSeen(), records: new Map() };
        highest?.raise(this.#view.generation);
        this.#onChange?.(changedNames(before, this.#view));
      }
      this.#seen = stored?.revision;
    }
    this.#lookedAt = startedAt;
  }
}

function changedNames(before: TenantView, after: TenantView): string[] {
  const names = new Set([...before.records.keys(), ...after.records.keys()]);
  return [...names].filter((name) => {
    const [one, two] = [before.records.get(name), after.records.get(name)];
    return one === undefined || two === undefined || !one.equals(two);
  });
}

function readOnly(): GatewayError {
  return keyStoreUnavailable(
    undefined,
    'A sidecar has one tenant’s wrap key (keys.tenant) and changes nothing: use the configuration with the root key.',
  );
}
