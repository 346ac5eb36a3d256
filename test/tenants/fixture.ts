import { protectionWords } from '../../src/formats/table.ts';
import type { HighestGeneration } from '../../src/keys/ledger/generation-file.ts';
import type { RootKey } from '../../src/keys/root/root-key.ts';
import type { RecordStore } from '../../src/keys/store/record-store.ts';
import { Administration } from '../../src/tenants/administration.ts';
import { BucketDefaultRecords } from '../../src/tenants/bucket-defaults.ts';
import { type BucketPolicy, bucketPolicy as policyOf } from '../../src/tenants/bucket-policy.ts';
import { Directory } from '../../src/tenants/directory.ts';
import { allRecordKinds } from '../../src/tenants/kinds.ts';
import { type TenantKind, tenantKind } from '../../src/tenants/tenant.ts';
import { type Keys, openKeys, randomRootKey } from '../keys/fixture.ts';
import { MemoryStore } from '../keys/memory-store.ts';

/** The product's own words for the protection. */
const PROTECTIONS = protectionWords();
export const TENANT = tenantKind(PROTECTIONS);
export const ALL_RECORD_KINDS = allRecordKinds(TENANT);

export function bucketPolicy(input: Partial<BucketPolicy> & { readonly pattern: string }): BucketPolicy {
  return policyOf(input, PROTECTIONS);
}

export interface Tenancy extends Keys {
  readonly administration: Administration;
  readonly directory: Directory;
  readonly bucketDefaults: BucketDefaultRecords;
}

export async function openTenancy(
  options: {
    /** Default: one in memory. */
    store?: RecordStore;
    rootKey?: RootKey;
    highest?: HighestGeneration;
    /** Default: with the product's own words for the protection. */
    tenants?: TenantKind;
  } = {},
): Promise<Tenancy> {
  const keys = await openKeys({
    store: options.store ?? new MemoryStore(),
    rootKey: options.rootKey ?? randomRootKey(),
    highest: options.highest,
  });
  const { records, keyRings } = keys;
  const { tenants = TENANT } = options;
  return {
    ...keys,
    administration: new Administration({ records, keyRings, tenants }),
    directory: new Directory(records, keyRings, tenants),
    bucketDefaults: new BucketDefaultRecords({ records, publish: async () => undefined, readOnly: false }),
  };
}
