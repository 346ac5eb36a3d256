import { openStores, type Stores } from '../../../src/gateway/open-stores.ts';
import { RING, type RingState } from '../../../src/keys/key-ring.ts';
import { loadConfig } from '../../../src/settings/config.ts';
import { type GatewayProcess, TENANT } from './gateway.ts';

/**
 * Changes what may be done with a tenant's named key, as an administrator will. No command does it yet, so it is done
 * through the key store of a gateway that runs, which hears of it as of every other change.
 * @param state `destroyed` takes the key away, and leaves its name
 */
export async function setKeyState(
  gateway: GatewayProcess,
  name: string,
  state: RingState | 'destroyed',
): Promise<void> {
  const config = loadConfig({ file: gateway.configFile, env: {}, cwd: gateway.folder });
  const stores = await openStores(config);
  try {
    await change(stores, name, state);
  } finally {
    await stores.close();
  }
}

async function change({ administration, keyRings, records }: Stores, name: string, state: RingState | 'destroyed') {
  const ring = (await administration.listKeys(TENANT.name)).find((each) => each.name === name);
  if (ring === undefined) throw new Error(`There is no key ${name}.`);
  if (state === 'destroyed') return keyRings.remove(ring.id);
  const held = await records.read(RING, ring.id);
  if (held === undefined) throw new Error(`The ring of ${name} is gone.`);
  await records.put(RING, ring.id, { ...held.value, state }, held.revision);
}
