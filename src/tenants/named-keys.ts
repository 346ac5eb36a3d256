import { isKeyName, MOST_NAMED_KEYS } from '../keys/key-names.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { KeyRings } from '../keys/key-rings.ts';
import { RevisionConflict } from '../keys/store/record-store.ts';
import { refused } from './administration-input.ts';

/**
 * Makes a named key for a tenant that exists.
 * @throws GatewayError InvalidArgument, KeyStoreUnavailable
 */
export async function addNamedKey(keyRings: KeyRings, tenant: string, name: string): Promise<KeyRing> {
  if (!isKeyName(name)) {
    throw refused(
      `The key name ${JSON.stringify(name)} must be 1 to 128 letters, digits, slashes, hyphens and underscores, and ` +
        'must not begin with alias/ or aws/.',
    );
  }
  if ((await keyRings.countNamed(tenant)) >= MOST_NAMED_KEYS) {
    throw refused(`The tenant ${tenant} has ${MOST_NAMED_KEYS} named keys, and can have no more.`);
  }
  try {
    return await keyRings.createNamed(tenant, name);
  } catch (error) {
    if (error instanceof RevisionConflict) throw refused(`The tenant ${tenant} has a key named ${name} already.`);
    throw error;
  }
}
