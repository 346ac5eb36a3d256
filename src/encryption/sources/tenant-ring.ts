import type { KeyRings } from '../../keys/key-rings.ts';
import type { SettingShape } from '../../keys/place-table.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { KeyName, KeySource, WrappingKey } from '../key-source.ts';
import { aliveKeys, existingKey, type RingOwner, sealingKey } from './ring-keys.ts';
import type { KeySourceRow } from './row.ts';

const MANAGED: EncryptionFacts = { kind: 'managed' };

/**
 * Gives keys of the tenant's own key rings. New objects are sealed under the current version of its default ring.
 * Existing objects are opened under the ring and version that they name, which may be those of a named key.
 */
export class TenantRing implements KeySource {
  readonly form = 'managed';
  readonly scope: string;
  readonly #owner: RingOwner;
  readonly #keyRings: Pick<KeyRings, 'current' | 'kek' | 'all'>;

  constructor(owner: RingOwner, keyRings: Pick<KeyRings, 'current' | 'kek' | 'all'>) {
    this.scope = owner.name;
    this.#owner = owner;
    this.#keyRings = keyRings;
  }

  async forNew(): Promise<WrappingKey> {
    return sealingKey(await this.#keyRings.current(this.#owner.ringId), MANAGED);
  }

  forExisting(named: KeyName): Promise<WrappingKey> {
    return existingKey(named, this.#owner, this.#keyRings);
  }

  alive(): Promise<readonly WrappingKey[]> {
    return aliveKeys(this.#owner, this.#keyRings);
  }
}

/** Managed keys, which need no settings. */
export const tenantRingRow: KeySourceRow<SettingShape> = {
  settings: {},
  open: ({ keyRings }) => ({ of: ({ tenant }) => new TenantRing(tenant, keyRings) }),
};
