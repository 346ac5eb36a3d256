import { clientError } from '../errors.ts';
import type { KeyRings } from '../keys/key-rings.ts';
import type { Records } from '../keys/records.ts';
import { RevisionConflict } from '../keys/store/record-store.ts';
import { unknownTenant } from './administration-input.ts';
import { fingerprintOf, LABEL, type RegisteredKey } from './registered-key.ts';
import type { SidecarViews } from './sidecar-views.ts';
import type { TenantKind } from './tenant.ts';

/** The most registered keys of a tenant, whose record holds them all. */
const MOST_REGISTERED = 1000;
const CUSTOMER_KEY_BYTES = 32;

export interface RegisteredKeysOptions {
  readonly records: Records;
  readonly keyRings: Pick<KeyRings, 'current'>;
  readonly tenants: TenantKind;
  /** What sidecars read; undefined where there are none. */
  readonly views?: SidecarViews | undefined;
  readonly now?: () => Date;
}

/**
 * Registers customer keys, and forgets them again. The keys themselves are kept nowhere. Mistakes are GatewayError
 * InvalidArgument; every method may throw KeyStoreUnavailable.
 */
export class RegisteredKeyAdministration {
  readonly #options: RegisteredKeysOptions;

  constructor(options: RegisteredKeysOptions) {
    this.#options = options;
  }

  /** Returns the keys that a tenant has registered, the oldest first. */
  async list(tenant: string): Promise<readonly RegisteredKey[]> {
    return (await this.#read(tenant)).value.registeredKeys ?? [];
  }

  /** Registers a key of 32 bytes. One that is registered already stays as it is. */
  async add(tenant: string, customerKey: Buffer, label: string): Promise<RegisteredKey> {
    if (customerKey.length !== CUSTOMER_KEY_BYTES) throw clientError('InvalidArgument', 'A customer key has 32 bytes.');
    if (!LABEL.test(label)) throw clientError('InvalidArgument', 'A label has at most 128 printable ASCII characters.');
    const { keyRings, now = () => new Date() } = this.#options;
    const { ringId } = (await this.#read(tenant)).value;
    const { version, key } = await keyRings.current(ringId);
    const fingerprint = fingerprintOf(customerKey, key);
    const added: RegisteredKey = { fingerprint, keyVersion: version, label, createdAt: now() };
    await this.#change(tenant, (keys) => {
      if (keys.some((each) => each.fingerprint === fingerprint)) return keys;
      if (keys.length >= MOST_REGISTERED) {
        throw clientError('InvalidArgument', `A tenant may register ${MOST_REGISTERED} customer keys.`);
      }
      return [...keys, added];
    });
    return added;
  }

  /** Forgets a key. What is sealed under it stays readable by it. */
  async remove(tenant: string, fingerprint: string): Promise<void> {
    await this.#change(tenant, (keys) => {
      const left = keys.filter((each) => each.fingerprint !== fingerprint);
      if (left.length < keys.length) return left;
      throw clientError('InvalidArgument', `The tenant ${tenant} has registered no key ${fingerprint}.`);
    });
  }

  async #change(name: string, change: (keys: readonly RegisteredKey[]) => readonly RegisteredKey[]): Promise<void> {
    const { records, tenants, views } = this.#options;
    const held = await this.#read(name);
    const registeredKeys = change(held.value.registeredKeys ?? []);
    try {
      await records.put(tenants, name, { ...held.value, registeredKeys }, held.revision);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      throw clientError('InvalidArgument', `The tenant ${name} was changed by someone else. Try again.`);
    }
    await views?.publish(name);
  }

  async #read(name: string) {
    const held = await this.#options.records.read(this.#options.tenants, name);
    if (held === undefined) throw unknownTenant(name);
    return held;
  }
}
