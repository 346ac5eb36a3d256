import { type KeyTables, openStores, reachKeyStore } from '../../gateway/open-stores.ts';
import type { KeysConfig } from '../../keys/config.ts';
import { RootKeyInvalid } from '../../keys/root/root-key.ts';
import { keyStoreRow } from '../../keys/store/table.ts';
import { describeError } from '../shell/describe-error.ts';
import type { Stores } from '../shell/with-stores.ts';
import type { CheckReport } from './check-report.ts';

/**
 * Opens the key store with the root key, and asks the root key's provider whether it can be used.
 * @param tables the kinds of root keys and key stores; by default the product's own
 * @returns undefined if the root key cannot be used, which is reported
 */
export async function checkKeys(
  keys: KeysConfig,
  report: CheckReport,
  tables: KeyTables = {},
): Promise<Stores | undefined> {
  const place = keyStoreRow(keys.store, tables.keyStores).describe(keys.store);
  const stores = await openKeys(keys, report, tables);
  if (stores === undefined) {
    await reachKeyStore(keys);
    report.add({ name: 'key store', outcome: 'ok', detail: `${place} answers` });
    return undefined;
  }
  try {
    const records = await stores.selfTest();
    const whose = keys.tenant === undefined ? 'the root key opens its' : `the tenant’s wrap key opens ${keys.tenant}’s`;
    const detail = `${place} answers, and ${whose} ${records} records`;
    report.add({ name: 'key store', outcome: 'ok', detail });
    const policy = await stores.store.evictionPolicy?.();
    if (policy !== undefined) report.add({ name: 'key store', outcome: 'warning', ...evictionFinding(policy) });
    await checkRootKey(stores, report);
    return stores;
  } catch (error) {
    await stores.close();
    throw error;
  }
}

/**
 * Checks the root key again. A provider that opened its key may refuse to use it now, which readiness would notice only
 * later.
 */
async function checkRootKey(stores: Pick<Stores, 'checkRootKey'>, report: CheckReport): Promise<void> {
  try {
    await stores.checkRootKey();
  } catch (error) {
    const detail = `its provider says that the root key cannot be used now: ${describeError(error)}`;
    const hint = 'Until that is mended, the gateway serves only the tenants and keys that it has in its cache.';
    report.add({ name: 'root key', outcome: 'failed', detail, hint });
  }
}

/** Says what Redis deletes when its memory is full, under the policy that it has. */
function evictionFinding(policy: string): { readonly detail: string; readonly hint: string } {
  const lost = policy.startsWith('volatile')
    ? 'the state of multipart uploads, whose clients must begin them anew'
    : 'the keys of tenants, and whatever was sealed under them is lost for ever';
  const detail = `Redis has maxmemory-policy ${policy}: when its memory is full it deletes ${lost}`;
  return { detail, hint: 'Set maxmemory-policy noeviction (docs/keys.md, “Redis”).' };
}

/**
 * Opens the key store.
 * @returns undefined if the root key cannot be used, which is reported; the store itself can be tried nevertheless
 */
async function openKeys(keys: KeysConfig, report: CheckReport, tables: KeyTables): Promise<Stores | undefined> {
  const onWarning = (detail: string) => report.add({ name: 'key store', outcome: 'warning', detail });
  try {
    return await openStores({ keys }, { onWarning }, tables);
  } catch (error) {
    if (!(error instanceof RootKeyInvalid)) throw error;
    report.add({ name: 'root key', outcome: 'failed', detail: describeError(error) });
    return undefined;
  }
}
