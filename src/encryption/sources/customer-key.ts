import { createSecretKey } from 'node:crypto';
import { fingerprintOf } from '../../keys/fingerprint.ts';
import type { SettingShape } from '../../keys/place-table.ts';
import type { CustomerKey } from '../../operations/encryption.ts';
import { CUSTOMER_RING, type KeyName, type KeySource, type WrappingKey } from '../key-source.ts';
import { customerKeyUnneeded, customerKeyWrong } from '../refusals.ts';
import type { KeySourceRow } from './row.ts';
import { TenantRing } from './tenant-ring.ts';

/**
 * Gives the key that a client sent with its request (SSE-C). It is kept nowhere: the source lives as long as the
 * request. No key is tried but the one that was sent.
 */
export class CustomerKeys implements KeySource {
  readonly form = 'customer';
  readonly scope: string;
  readonly tenantKeys: KeySource;
  readonly #key: WrappingKey;

  /** @param tenantKeys the keys of the tenant whose request it is */
  constructor({ bytes, md5: keyMd5 }: CustomerKey, tenantKeys: KeySource) {
    const key = createSecretKey(bytes);
    const fingerprint = fingerprintOf(key);
    this.tenantKeys = tenantKeys;
    this.scope = `${tenantKeys.scope} customer ${fingerprint}`;
    this.#key = {
      ringId: CUSTOMER_RING,
      version: 0,
      key,
      fingerprint,
      told: { kind: 'customer', keyMd5 },
      refusal: customerKeyWrong,
    };
  }

  async forNew(): Promise<WrappingKey> {
    return this.#key;
  }

  async forExisting({ ringId }: KeyName): Promise<WrappingKey> {
    if (ringId !== CUSTOMER_RING) throw customerKeyUnneeded();
    return this.#key;
  }

  refuseUnsealed(): never {
    throw customerKeyUnneeded();
  }
}

/** Keys of customers, which need no settings. */
export const customerKeyRow: KeySourceRow<SettingShape> = {
  settings: {},
  open: ({ keyRings }) => ({
    of: ({ tenant, asked }) => {
      if (asked?.kind !== 'customer') throw new RangeError('A source of customer keys needs a request with one.');
      return new CustomerKeys(asked.key, new TenantRing(tenant, keyRings));
    },
  }),
};
