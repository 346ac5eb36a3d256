import type { EncryptionContext } from '../../envelope/encryption-context.ts';
import { DEFAULT_KEY_NAME, isKeyName } from '../../keys/key-names.ts';
import type { Kek } from '../../keys/key-ring.ts';
import type { KeyRings } from '../../keys/key-rings.ts';
import type { SettingShape } from '../../keys/place-table.ts';
import type { AskedEncryption, EncryptionFacts } from '../../operations/encryption.ts';
import { readContext } from '../context.ts';
import { keyNameIn } from '../key-id.ts';
import type { KeyName, KeySource, WrappingKey } from '../key-source.ts';
import { existingKey, noSuchKey, type RingOwner, sealingKey } from './ring-keys.ts';
import type { KeySourceRow } from './row.ts';

type AskedKms = Extract<AskedEncryption, { readonly kind: 'kms' }>;

const NO_CONTEXT = Buffer.alloc(0);

/**
 * Gives the key that a client names for a new object. Existing objects are opened under the key that they name, as
 * `TenantRing` does.
 */
export class NamedKey implements KeySource {
  readonly form = 'kms';
  readonly scope: string;
  readonly #owner: RingOwner;
  /** undefined for the tenant's default key. */
  readonly #name: string | undefined;
  readonly #context: EncryptionContext | undefined;
  readonly #keyRings: Pick<KeyRings, 'current' | 'kek' | 'named'>;

  /** @throws GatewayError InvalidArgument for a context that is malformed, KmsKeyNotFound for what names no key */
  constructor(asked: AskedKms, owner: RingOwner, keyRings: Pick<KeyRings, 'current' | 'kek' | 'named'>) {
    this.scope = owner.name;
    this.#owner = owner;
    this.#keyRings = keyRings;
    this.#context = contextIn(asked);
    this.#name = nameIn(asked);
  }

  async forNew(): Promise<WrappingKey> {
    const kek = await this.#current();
    const told: EncryptionFacts = {
      kind: 'kms',
      keyId: kek.name ?? DEFAULT_KEY_NAME,
      ...(this.#context?.bucketKey === true && { bucketKey: true }),
    };
    return { ...sealingKey(kek, told), context: this.#context };
  }

  forExisting(named: KeyName): Promise<WrappingKey> {
    return existingKey(named, this.#owner, this.#keyRings);
  }

  async #current(): Promise<Kek> {
    if (this.#name === undefined) return this.#keyRings.current(this.#owner.ringId);
    const kek = await this.#keyRings.named(this.#owner.name, this.#name);
    if (kek === undefined) throw noSuchKey();
    return kek;
  }
}

function contextIn({ context, bucketKey }: AskedKms): EncryptionContext | undefined {
  const canonical = context === undefined ? NO_CONTEXT : readContext(context);
  if (canonical === NO_CONTEXT && bucketKey !== true) return undefined;
  return { canonical, bucketKey: bucketKey === true };
}

function nameIn({ keyId }: AskedKms): string | undefined {
  if (keyId === undefined) return undefined;
  const name = keyNameIn(keyId);
  if (name === DEFAULT_KEY_NAME) return undefined;
  if (name === undefined || !isKeyName(name)) throw noSuchKey();
  return name;
}

/** Named keys, which need no settings. */
export const namedKeyRow: KeySourceRow<SettingShape> = {
  settings: {},
  open: ({ keyRings }) => ({
    of: ({ tenant, asked }) => {
      if (asked?.kind !== 'kms') throw new TypeError('A named key is for requests that ask for a KMS key.');
      return new NamedKey(asked, tenant, keyRings);
    },
  }),
};
