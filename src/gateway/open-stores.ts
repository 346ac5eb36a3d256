import { performance } from 'node:perf_hooks';
import type { BackendObserver } from '../backend/connection.ts';
import type { EtagIndex } from '../etags/etag-index.ts';
import { openEtagIndex } from '../etags/index-table.ts';
import type { KeysConfig } from '../keys/config.ts';
import { KeyRings } from '../keys/key-rings.ts';
import { generationId, HighestGeneration } from '../keys/ledger/generation-file.ts';
import { TenantViewStore, type TenantViewStoreOptions } from '../keys/ledger/tenant-view-store.ts';
import { Records } from '../keys/records.ts';
import type { RootKeyProvider } from '../keys/root/provider.ts';
import { joinedRootKey, type RootKey } from '../keys/root/root-key.ts';
import { type RootKeyTable, rootKeyProvider } from '../keys/root/table.ts';
import { startUpSelfTest } from '../keys/self-test.ts';
import type { KeyStoreObserver, RecordStore } from '../keys/store/record-store.ts';
import { DEFAULT_KEY_PREFIX, redisTarget } from '../keys/store/redis-address.ts';
import { type KeyStoreConfig, openRecordStore } from '../keys/store/table.ts';
import type { Config } from '../settings/config.ts';
import type { Administration } from '../tenants/administration.ts';
import { Directory } from '../tenants/directory.ts';
import { ALL_RECORD_KINDS } from '../tenants/kinds.ts';
import { PublishedAdministration } from '../tenants/published-administration.ts';
import { SidecarViews } from '../tenants/sidecar-views.ts';
import { STAGING_PREFIX } from '../uploads/staging.ts';
import { openUploadStates } from '../uploads/state-table.ts';
import type { UploadStates } from '../uploads/upload-states.ts';

export interface Observers {
  readonly backend?: BackendObserver | undefined;
  readonly keys?: KeyStoreObserver | undefined;
  /** Sentences for the operator. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** The kinds of root key and key store that there are. Default: the product's own. */
export interface KeyTables {
  readonly rootKeys?: RootKeyTable | undefined;
}

/** The key store opened with the root key, and all that lives in it. */
export interface Stores {
  /** Tells root keys apart, and reveals nothing of them. */
  readonly rootKeyId: string;
  /** Hides the keys of objects in the log. */
  readonly keyNamesSecret: Buffer;
  readonly store: RecordStore;
  readonly records: Records;
  readonly keyRings: KeyRings;
  readonly directory: Directory;
  readonly administration: Administration;
  readonly sidecars: SidecarViews;
  /**
   * For readiness: whether requests can be served, be it from the cache. What is wrong all the same, in words that may be
   * shown.
   * @throws GatewayError KeyStoreUnavailable
   */
  readiness(): Promise<string | undefined>;
  /** Asks the root key's provider whether the key can be used now. @throws GatewayError KeyStoreUnavailable */
  checkRootKey(): Promise<void>;
  /** Proves that the root key opens every record. @throws SelfTestFailed, GatewayError KeyStoreUnavailable */
  selfTest(): Promise<number>;
  close(): Promise<void>;
}

/** @throws RootKeyInvalid, GatewayError KeyStoreUnavailable */
export async function openStores(
  config: Pick<Config, 'keys'>,
  observers: Observers = {},
  tables: KeyTables = {},
): Promise<Stores> {
  const { onWarning } = observers;
  const { rootKey, provider } = await openRootKey(config.keys, onWarning, tables);
  let shared: RecordStore | undefined;
  try {
    const highest = await openGenerations(config.keys, rootKey, onWarning);
    const { tenant } = config.keys;
    shared = await openRecordStore(keyStoreConfig(config.keys), {
      ...(onWarning && { onWarning }),
      onReconnect: () => observers.keys?.reconnected?.(),
    });
    const store =
      tenant === undefined ? shared : await openTenantView({ store: shared, key: rootKey, tenant, highest }, observers);
    const records = await Records.open({
      store,
      rootKey,
      limits: config.keys.cache,
      ...(observers.keys && { observer: observers.keys }),
      // A tenant's view has a generation of its own.
      highest: tenant === undefined ? highest : undefined,
      onWarning,
    });
    const keyRings = new KeyRings({ records });
    const sidecars = new SidecarViews({ store, records, rootKey, now: () => new Date() });
    return {
      rootKeyId: rootKey.id,
      keyNamesSecret: await rootKey.derive('sealgate/log-key-names/v1'),
      store,
      records,
      keyRings,
      directory: new Directory(records, keyRings),
      administration: new PublishedAdministration({ records, keyRings, views: sidecars }),
      sidecars,
      readiness: async () => (await records.readiness()) ?? (await troubleOf(provider)),
      checkRootKey: () => provider.check(),
      selfTest: () => startUpSelfTest({ records, kinds: ALL_RECORD_KINDS, now: () => new Date() }),
      async close() {
        await highest?.settled();
        await store.close();
        await provider.close();
      },
    };
  } catch (error) {
    await shared?.close();
    await provider.close();
    throw error;
  }
}

/** Keys that were unwrapped are served without their provider; what is not cached is not. */
function troubleOf(provider: RootKeyProvider): Promise<string | undefined> {
  return provider.check().then(
    () => undefined,
    () => 'answers, but the provider of the root key does not; only what is cached is served',
  );
}

/** A sidecar's key store: one tenant's records, and the highest generation of just these. */
function openTenantView(
  parts: Pick<TenantViewStoreOptions, 'store' | 'key' | 'tenant' | 'highest'>,
  { keys, onWarning }: Observers,
): Promise<TenantViewStore> {
  return TenantViewStore.open({
    ...parts,
    monotonicNow: () => performance.now(),
    onPutBack(sentence) {
      keys?.putBack?.('store');
      onWarning?.(sentence);
    },
  });
}

/** Whether the key store answers, with a root key or without. @throws GatewayError KeyStoreUnavailable */
export async function reachKeyStore(keys: KeysConfig): Promise<void> {
  const store = await openRecordStore(keyStoreConfig(keys));
  try {
    await store.check();
  } finally {
    await store.close();
  }
}

/** The state of uploads under way. @throws GatewayError KeyStoreUnavailable */
export function openUploads(keys: KeysConfig): Promise<UploadStates> {
  return openUploadStates(keyStoreConfig(keys), () => new Date());
}

/** The index of MD5 ETags. @throws GatewayError KeyStoreUnavailable */
export function openEtags({ keys, etags }: Pick<Config, 'keys' | 'etags'>): Promise<EtagIndex> {
  return openEtagIndex(keyStoreConfig(keys), etags.keepSeconds);
}

/** What is remembered here of the store's generation. @throws Error for a file that is none of Sealgate's */
export async function openGenerations(
  keys: Pick<KeysConfig, 'generationFile' | 'store'>,
  { id }: Pick<RootKey, 'id'>,
  onWarning: Observers['onWarning'] = () => undefined,
): Promise<HighestGeneration | undefined> {
  const path = keys.generationFile;
  if (path === undefined) return undefined;
  return HighestGeneration.open({ path, id: generationId(id, placeOf(keyStoreConfig(keys))), onWarning });
}

function placeOf(store: KeyStoreConfig): readonly (string | number)[] {
  if (store.kind === 'file') return ['file', store.path];
  return ['redis', redisTarget(store).options.db ?? 0, store.keyPrefix ?? DEFAULT_KEY_PREFIX];
}

/** The root key with its provider, which whoever opened it closes. */
export interface OpenRootKey {
  readonly rootKey: RootKey;
  readonly provider: RootKeyProvider;
}

/** @throws RootKeyInvalid, GatewayError KeyStoreUnavailable */
export async function openRootKey(
  { root }: KeysConfig,
  onWarning: Observers['onWarning'],
  { rootKeys }: KeyTables = {},
): Promise<OpenRootKey> {
  const provider = rootKeyProvider(root, { onWarning }, rootKeys);
  try {
    return { rootKey: joinedRootKey(await provider.open()), provider };
  } catch (error) {
    await provider.close();
    throw error;
  }
}

export function keyStoreConfig({ store }: Pick<KeysConfig, 'store'>): KeyStoreConfig {
  return store.kind === 'file' ? store : { ...store, url: store.url.reveal() };
}

/** Where small parts lie: a name of this deployment's own, unless the configuration has one. */
export function stagingBucketOf(
  { uploads }: Pick<Config, 'uploads'>,
  { rootKeyId }: Pick<Stores, 'rootKeyId'>,
): string {
  return uploads.stagingBucket ?? `${STAGING_PREFIX}${rootKeyId.slice(0, 16)}`;
}
