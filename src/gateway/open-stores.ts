import { performance } from 'node:perf_hooks';
import type { BackendObserver } from '../backend/connection.ts';
import type { EtagIndex } from '../etags/etag-index.ts';
import { openEtagIndex } from '../etags/index-table.ts';
import { protectionWords } from '../formats/table.ts';
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
import { type KeyStoreTable, keyStoreRow, openRecordStore } from '../keys/store/table.ts';
import type { Config } from '../settings/config.ts';
import type { Administration } from '../tenants/administration.ts';
import { BucketDefaultRecords } from '../tenants/bucket-defaults.ts';
import { Directory } from '../tenants/directory.ts';
import { allRecordKinds } from '../tenants/kinds.ts';
import { PublishedAdministration } from '../tenants/published-administration.ts';
import { RegisteredKeyAdministration } from '../tenants/registered-key-administration.ts';
import { RuleAdministration } from '../tenants/rules/rule-administration.ts';
import { SidecarViews } from '../tenants/sidecar-views.ts';
import { tenantKind } from '../tenants/tenant.ts';
import { STAGING_PREFIX } from '../uploads/staging.ts';
import { openUploadStates } from '../uploads/state-table.ts';
import type { UploadStates } from '../uploads/upload-states.ts';

export interface Observers {
  readonly backend?: BackendObserver | undefined;
  readonly keys?: KeyStoreObserver | undefined;
  /** Is called with sentences for the operator. */
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** The kinds of root key providers and key stores that the settings may name; by default the product's own. */
export interface KeyTables {
  readonly rootKeys?: RootKeyTable | undefined;
  readonly keyStores?: KeyStoreTable | undefined;
}

/** The key store, opened with the root key, and everything that lies in it. */
export interface Stores {
  /** Tells root keys apart, and reveals nothing about them. */
  readonly rootKeyId: string;
  /** The secret that hides the keys of objects in the log. */
  readonly keyNamesSecret: Buffer;
  readonly store: RecordStore;
  readonly records: Records;
  readonly keyRings: KeyRings;
  readonly directory: Directory;
  readonly administration: Administration;
  readonly sidecars: SidecarViews;
  readonly bucketDefaults: BucketDefaultRecords;
  readonly rules: RuleAdministration;
  readonly registeredKeys: RegisteredKeyAdministration;
  /**
   * Resolves if requests can be served, even if only from the cache; readiness calls it. The text says what is wrong
   * nevertheless, in words that may be shown.
   * @throws GatewayError KeyStoreUnavailable
   */
  readiness(): Promise<string | undefined>;
  /**
   * Asks the root key's provider whether the key can be used now.
   * @throws GatewayError KeyStoreUnavailable
   */
  checkRootKey(): Promise<void>;
  /**
   * Proves that the root key opens every record.
   * @returns how many records there are
   * @throws SelfTestFailed, GatewayError KeyStoreUnavailable
   */
  selfTest(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Opens the root key and the key store.
 * @throws RootKeyInvalid, GatewayError KeyStoreUnavailable
 */
export async function openStores(
  config: Pick<Config, 'keys'>,
  observers: Observers = {},
  tables: KeyTables = {},
): Promise<Stores> {
  const { onWarning } = observers;
  const { rootKey, provider } = await openRootKey(config.keys, onWarning, tables);
  let shared: RecordStore | undefined;
  try {
    const highest = await openGenerations(config.keys, rootKey, onWarning, tables);
    const { tenant } = config.keys;
    shared = await openRecordStore(
      config.keys.store,
      { ...(onWarning && { onWarning }), onReconnect: () => observers.keys?.reconnected?.() },
      tables.keyStores,
    );
    const store =
      tenant === undefined ? shared : await openTenantView({ store: shared, key: rootKey, tenant, highest }, observers);
    const records = await Records.open({
      store,
      rootKey,
      limits: config.keys.cache,
      ...(observers.keys && { observer: observers.keys }),
      // A tenant's view has a generation of its own, which TenantViewStore checks.
      highest: tenant === undefined ? highest : undefined,
      onWarning,
    });
    const keyRings = new KeyRings({ records });
    const tenants = tenantKind(protectionWords());
    const sidecars = new SidecarViews({ store, records, tenants, rootKey, now: () => new Date() });
    return {
      rootKeyId: rootKey.id,
      keyNamesSecret: await rootKey.derive('sealgate/log-key-names/v1'),
      store,
      records,
      keyRings,
      directory: new Directory(records, keyRings, tenants),
      administration: new PublishedAdministration({ records, keyRings, tenants, views: sidecars }),
      sidecars,
      bucketDefaults: new BucketDefaultRecords({
        records,
        publish: (name) => sidecars.publish(name),
        readOnly: tenant !== undefined,
      }),
      rules: new RuleAdministration({ records, tenants, views: sidecars }),
      registeredKeys: new RegisteredKeyAdministration({ records, keyRings, tenants, views: sidecars }),
      readiness: async () => (await records.readiness()) ?? (await troubleOf(provider)),
      checkRootKey: () => provider.check(),
      selfTest: () => startUpSelfTest({ records, kinds: allRecordKinds(tenants), now: () => new Date() }),
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

/**
 * Says what is wrong with the root key's provider. Without it, only cached records are served; others cannot be
 * unwrapped.
 */
function troubleOf(provider: RootKeyProvider): Promise<string | undefined> {
  return provider.check().then(
    () => undefined,
    () => 'answers, but the provider of the root key does not; only what is cached is served',
  );
}

/** Opens the key store of a sidecar: the records of one tenant, and the highest generation of these alone. */
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

/**
 * Checks whether the key store answers. No root key is needed for that.
 * @throws GatewayError KeyStoreUnavailable
 */
export async function reachKeyStore(keys: KeysConfig): Promise<void> {
  const store = await openRecordStore(keys.store);
  try {
    await store.check();
  } finally {
    await store.close();
  }
}

/**
 * Opens the states of uploads.
 * @throws GatewayError KeyStoreUnavailable
 */
export function openUploads(keys: KeysConfig): Promise<UploadStates> {
  return openUploadStates(keys.store, () => new Date());
}

/**
 * Opens the index of MD5 ETags.
 * @throws GatewayError KeyStoreUnavailable
 */
export function openEtags({ keys, etags }: Pick<Config, 'keys' | 'etags'>): Promise<EtagIndex> {
  return openEtagIndex(keys.store, etags.keepSeconds);
}

/**
 * Opens the file that remembers the highest generation of the store; undefined if the settings turn it off.
 * @throws Error if Sealgate did not write the file
 */
export async function openGenerations(
  keys: Pick<KeysConfig, 'generationFile' | 'store'>,
  { id }: Pick<RootKey, 'id'>,
  onWarning: Observers['onWarning'] = () => undefined,
  { keyStores }: KeyTables = {},
): Promise<HighestGeneration | undefined> {
  const path = keys.generationFile;
  if (path === undefined) return undefined;
  return HighestGeneration.open({
    path,
    id: generationId(id, keyStoreRow(keys.store, keyStores).identity(keys.store)),
    onWarning,
  });
}

/** The root key with its provider, which the caller must close. */
export interface OpenRootKey {
  readonly rootKey: RootKey;
  readonly provider: RootKeyProvider;
}

/**
 * Opens the root key.
 * @throws RootKeyInvalid, GatewayError KeyStoreUnavailable
 */
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

/**
 * Returns the staging bucket: the configured one, or one whose name is made of the root key's id and so is this
 * deployment's own.
 */
export function stagingBucketOf(
  { uploads }: Pick<Config, 'uploads'>,
  { rootKeyId }: Pick<Stores, 'rootKeyId'>,
): string {
  return uploads.stagingBucket ?? `${STAGING_PREFIX}${rootKeyId.slice(0, 16)}`;
}
