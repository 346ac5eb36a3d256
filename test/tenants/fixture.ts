import type { HighestGeneration } from '../../src/keys/ledger/generation-file.ts';
import type { RootKey } from '../../src/keys/root/root-key.ts';
import type { RecordStore } from '../../src/keys/store/record-store.ts';
import { Administration } from '../../src/tenants/administration.ts';
import { Directory } from '../../src/tenants/directory.ts';
import { type Keys, openFileStoreHere, openKeys, randomRootKey } from '../keys/fixture.ts';

export interface Tenancy extends Keys {
  readonly administration: Administration;
  readonly directory: Directory;
}

export async function openTenancy(
  options: { store?: RecordStore; rootKey?: RootKey; highest?: HighestGeneration } = {},
): Promise<Tenancy> {
  const keys = await openKeys({
    store: options.store ?? (await openFileStoreHere()),
    rootKey: options.rootKey ?? randomRootKey(),
    highest: options.highest,
  });
  const { records, keyRings } = keys;
  return {
    ...keys,
    administration: new Administration({ records, keyRings }),
    directory: new Directory(records, keyRings),
  };
}
