import {
  bareKeyId,
  type StoredEncryption,
  type StoreEncryption,
  type StoreKey,
} from '../../dialects/store-encryption.ts';
import type { StoredObject } from '../../dialects/store-exchange.ts';
import { readContext } from '../../encryption/context.ts';
import { keyNameIn } from '../../encryption/key-id.ts';
import type { KeySource, WrappingKey } from '../../encryption/key-source.ts';
import { noSuchKey } from '../../encryption/sources/ring-keys.ts';
import { storeKeyOf } from '../../encryption/store-key.ts';
import { ENVELOPE_ENTRY } from '../../envelope/envelope.ts';
import { DEFAULT_KEY_NAME } from '../../keys/key-names.ts';
import type { AskedEncryption, EncryptionFacts } from '../../operations/encryption.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { type KeyTry, type NewEncryption, NO_KEY, type StoreEncrypter } from '../../store/encrypting/encrypter.ts';
import type { KeyMemory } from '../../store/encrypting/key-memory.ts';
import type { InjectedForm } from '../../tenants/bucket-policy.ts';
import type { FormatDesk } from '../format-desk.ts';

type Desk = Pick<FormatDesk, 'tenant' | 'policy' | 'keys' | 'trace'>;

const WITHOUT_KEY: KeyTry = { version: NO_KEY, key: () => undefined };

/**
 * Has a store encrypt as the bucket's policy says (`inject`), for one request.
 *
 * - `managed`: with keys of the store's own.
 * - `kms`: with a key of its KMS. The rule's `keys` are the ids of those keys, so that no client can name another
 *   tenant's; without them the store chooses.
 * - `customer`: with a key that is derived from the tenant's, and that the store gets with each request. Clients do not
 *   hear of it: to them the object is encrypted by the service.
 */
export class InjectingEncrypter implements StoreEncrypter {
  readonly memory: KeyMemory;
  readonly #desk: Desk;
  readonly #asked: AskedEncryption | undefined;

  constructor(desk: Desk, asked: AskedEncryption | undefined, memory: KeyMemory) {
    this.#desk = desk;
    this.#asked = asked;
    this.memory = memory;
  }

  get #form(): InjectedForm {
    return this.#desk.policy.inject ?? 'managed';
  }

  get bringsKeys(): boolean {
    return this.#form === 'customer';
  }

  async forNew({ bucket }: ObjectRef): Promise<NewEncryption> {
    switch (this.#form) {
      case 'managed':
        return { encryption: { kind: 'managed' }, version: NO_KEY };
      case 'kms':
        return { encryption: this.#underKms(), version: NO_KEY };
      case 'customer': {
        const key = await this.#tenantKeys.forNew();
        return { encryption: this.#derived(key, bucket), version: key.version };
      }
    }
  }

  async triesFor({ bucket }: ObjectRef): Promise<readonly KeyTry[]> {
    const keys = (await this.#tenantKeys.alive?.()) ?? [];
    const derived = keys.map((key) => ({ version: key.version, key: () => this.#derived(key, bucket) }));
    // The policy may have been another one when the object was written.
    return this.bringsKeys ? [...derived, WITHOUT_KEY] : [WITHOUT_KEY, ...derived];
  }

  async keyFor(ref: ObjectRef, says: StoredEncryption | undefined): Promise<StoreKey | undefined> {
    if (says?.kind !== 'customer') return undefined;
    for (const { key } of await this.triesFor(ref)) {
      const derived = key();
      if (derived?.key.md5.toString('base64') === says.keyMd5) return derived;
    }
    return undefined;
  }

  get toldOfNew(): EncryptionFacts {
    if (this.#form !== 'kms') return { kind: 'managed' };
    return { kind: 'kms', keyId: this.#keyName, ...(this.#bucketKey && { bucketKey: true }) };
  }

  told(says: StoredEncryption): EncryptionFacts {
    if (says.kind !== 'kms') return { kind: 'managed' };
    return { kind: 'kms', keyId: this.#nameOf(says.keyId), ...(says.bucketKey && { bucketKey: true }) };
  }

  isProtected({ encryptedAs, metadata }: StoredObject): boolean {
    return encryptedAs !== undefined || metadata.user.some(([name]) => name === ENVELOPE_ENTRY);
  }

  noteUnprotected(): void {
    this.#desk.trace.unprotected++;
  }

  /** The tenant's own keys, also for a request that brings a customer's. */
  get #tenantKeys(): KeySource {
    const { keys } = this.#desk;
    return keys.tenantKeys ?? keys;
  }

  #derived({ key }: WrappingKey, bucket: string): StoreKey {
    return { kind: 'customer', key: storeKeyOf(key, { tenant: this.#desk.tenant.name, bucket }) };
  }

  get #askedKms(): Extract<AskedEncryption, { readonly kind: 'kms' }> | undefined {
    return this.#asked?.kind === 'kms' ? this.#asked : undefined;
  }

  get #bucketKey(): boolean {
    return this.#askedKms?.bucketKey === true;
  }

  /** The name of the key for a new object, as clients know it. */
  get #keyName(): string {
    const { keys = [DEFAULT_KEY_NAME] } = this.#desk.policy;
    const asked = this.#askedKms?.keyId;
    // What names no key is a name that no rule has, and so is refused as an unknown key.
    return asked === undefined ? (keys[0] ?? DEFAULT_KEY_NAME) : (keyNameIn(asked) ?? asked);
  }

  /** @throws GatewayError KmsKeyNotFound for a key that the policy does not name; InvalidArgument for a bad context */
  #underKms(): StoreEncryption {
    const { keys = [DEFAULT_KEY_NAME] } = this.#desk.policy;
    const name = this.#keyName;
    if (!keys.includes(name)) throw noSuchKey();
    const context = this.#askedKms?.context;
    return {
      kind: 'kms',
      keyId: name === DEFAULT_KEY_NAME ? undefined : name,
      context: context === undefined ? undefined : readContext(context),
      bucketKey: this.#bucketKey,
    };
  }

  /** The name by which clients know a key that the store names in its own way. */
  #nameOf(keyId: string | undefined): string {
    const { keys = [DEFAULT_KEY_NAME] } = this.#desk.policy;
    const bare = keyId === undefined ? DEFAULT_KEY_NAME : bareKeyId(keyId);
    return !keys.includes(bare) && keys.includes(DEFAULT_KEY_NAME) ? DEFAULT_KEY_NAME : bare;
  }
}
