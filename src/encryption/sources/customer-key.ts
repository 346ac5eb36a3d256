import { fingerprintOf } from '../../keys/fingerprint.ts';
import type { SettingShape } from '../../keys/place-table.ts';
import type { CustomerKey } from '../../operations/encryption.ts';
import { CUSTOMER_RING, CUSTOMER_VERSION, type KeyName, type KeySource, type WrappingKey } from '../key-source.ts';
import { customerKeyUnneeded, customerKeyWrong } from '../refusals.ts';
import type { KeySourceRow } from './row.ts';
import { TenantRing } from './tenant-ring.ts';

/**
 * Gives the key that a client sent with its request (SSE-C). It is kept nowhere: the source lives as long as the
 * request. No key is tried but the one that was sent.
 */
export class CustomerKeys implements KeySource {
  readonly form = 'customer';
  readonly tenantKeys: KeySource;
  readonly #sent: CustomerKey;
  #wrapping: WrappingKey | undefined;

  /** @param tenantKeys the keys of the tenant whose request it is */
  constructor(sent: CustomerKey, tenantKeys: KeySource) {
    this.tenantKeys = tenantKeys;
    this.#sent = sent;
  }

  get scope(): string {
    return `${this.tenantKeys.scope} customer ${this.#key.fingerprint}`;
  }

  /** The key is not touched before it is needed, because the request may not be allowed to bring one. */
  get #key(): WrappingKey {
    if (this.#wrapping !== undefined) return this.#wrapping;
    const { bytes, md5: keyMd5 } = this.#sent;
    // This is no KeyObject, because node keeps the memory of one until the collector comes by.
    const key = { symmetricKeySize: bytes.length, export: () => Buffer.from(bytes) };
    this.#wrapping = {
      ringId: CUSTOMER_RING,
      version: CUSTOMER_VERSION,
      key,
      fingerprint: fingerprintOf(key),
      told: { kind: 'customer', keyMd5 },
      refusal: customerKeyWrong,
    };
    return this.#wrapping;
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
