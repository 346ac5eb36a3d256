import { timingSafeEqual } from 'node:crypto';
import { GatewayError } from '../errors.ts';
import type { KeyRings } from '../keys/key-rings.ts';
import type { CustomerKey } from '../operations/encryption.ts';
import { fingerprintOf } from '../tenants/registered-key.ts';
import type { Tenant } from '../tenants/tenant.ts';

/**
 * Tells which customer keys a tenant has registered beforehand. Where only these are taken, an intruder with stolen
 * credentials cannot seal a bucket under a key of his own.
 */
export class RegisteredKeys {
  readonly #keyRings: Pick<KeyRings, 'kek'>;

  constructor(keyRings: Pick<KeyRings, 'kek'>) {
    this.#keyRings = keyRings;
  }

  /**
   * Whether the tenant has registered this key.
   * @throws GatewayError KeyStoreUnavailable; what the client hears of a key that is none
   */
  async has({ registeredKeys = [], ringId }: Pick<Tenant, 'registeredKeys' | 'ringId'>, key: CustomerKey) {
    const { bytes } = key;
    const ours = new Map<number, string | undefined>();
    let found = false;
    for (const { fingerprint, keyVersion } of registeredKeys) {
      if (!ours.has(keyVersion)) ours.set(keyVersion, await this.#fingerprint(bytes, { ringId, version: keyVersion }));
      const made = ours.get(keyVersion);
      if (made !== undefined && timingSafeEqual(Buffer.from(made), Buffer.from(fingerprint))) found = true;
    }
    return found;
  }

  /** The fingerprint under one version of the tenant's key; undefined where that version is gone. */
  async #fingerprint(
    bytes: Buffer,
    { ringId, version }: { readonly ringId: string; readonly version: number },
  ): Promise<string | undefined> {
    try {
      return fingerprintOf(bytes, (await this.#keyRings.kek(ringId, version)).key);
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'KeyUnavailable') return undefined;
      throw error;
    }
  }
}
