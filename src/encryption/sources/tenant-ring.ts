import { corrupted } from '../../envelope/corruption.ts';
import type { Kek } from '../../keys/key-ring.ts';
import type { KeyRings } from '../../keys/key-rings.ts';
import type { SettingShape } from '../../keys/place-table.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { CUSTOMER_RING, type KeyName, type KeySource, type WrappingKey } from '../key-source.ts';
import { customerKeyNeeded } from '../refusals.ts';
import type { KeySourceRow } from './row.ts';

const MANAGED: EncryptionFacts = { kind: 'managed' };

/**
 * Gives keys of the tenant's own key ring. New objects are sealed under its current version. Existing objects are
 * opened under the version that they name.
 */
export class TenantRing implements KeySource {
  readonly form = 'managed';
  readonly scope: string;
  readonly #ringId: string;
  readonly #keyRings: Pick<KeyRings, 'current' | 'kek'>;

  constructor({ name, ringId }: Pick<Tenant, 'name' | 'ringId'>, keyRings: Pick<KeyRings, 'current' | 'kek'>) {
    this.scope = name;
    this.#ringId = ringId;
    this.#keyRings = keyRings;
  }

  async forNew(): Promise<WrappingKey> {
    return wrappingKey(await this.#keyRings.current(this.#ringId));
  }

  async forExisting({ ringId, version }: KeyName): Promise<WrappingKey> {
    if (ringId === CUSTOMER_RING) throw customerKeyNeeded();
    if (ringId !== this.#ringId) throw corrupted(new Error('It is sealed under a key ring that is not this tenant’s.'));
    return wrappingKey(await this.#keyRings.kek(ringId, version));
  }
}

function wrappingKey({ ringId, version, key, fingerprint }: Kek): WrappingKey {
  return { ringId, version, key, fingerprint, told: MANAGED };
}

/** Managed keys, which need no settings. */
export const tenantRingRow: KeySourceRow<SettingShape> = {
  settings: {},
  open: ({ keyRings }) => ({ of: ({ tenant }) => new TenantRing(tenant, keyRings) }),
};
