import { corrupted } from '../../envelope/corruption.ts';
import { clientError, type GatewayError } from '../../errors.ts';
import { DEFAULT_KEY_NAME } from '../../keys/key-names.ts';
import type { Kek } from '../../keys/key-ring.ts';
import { KeyMissing, type KeyRings } from '../../keys/key-rings.ts';
import type { EncryptionFacts } from '../../operations/encryption.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { CUSTOMER_RING, type KeyName, type WrappingKey } from '../key-source.ts';
import { customerKeyNeeded } from '../refusals.ts';

/** This file gives the keys of a tenant's rings, its default ring and those of its named keys, as wrapping keys. */

const MANAGED: EncryptionFacts = { kind: 'managed' };
const DEFAULT_KMS: EncryptionFacts = { kind: 'kms', keyId: DEFAULT_KEY_NAME };

/** The tenant whose rings are meant, as far as they are found by it. */
export type RingOwner = Pick<Tenant, 'name' | 'ringId'>;

/**
 * The key of one of the tenant's rings under which an existing object is sealed, whatever its request asks for.
 * @throws GatewayError CustomerKeyNeeded; ObjectCorrupted for a ring that is not the tenant's; KeyUnavailable, or
 *   KmsKeyNotFound for an object for which a KMS key was asked, where there is no such key any more; KmsKeyDisabled,
 *   KmsKeyInvalidState; KeyStoreUnavailable
 */
export async function existingKey(
  { ringId, version, form }: KeyName,
  owner: RingOwner,
  keyRings: Pick<KeyRings, 'kek'>,
): Promise<WrappingKey> {
  if (ringId === CUSTOMER_RING) throw customerKeyNeeded();
  const isDefault = ringId === owner.ringId;
  // Only a KMS key can be another one than the tenant's default key, so nobody need ask the key store for others.
  if (!isDefault && form !== 'kms') throw foreign();
  const kek = await keyRings.kek(ringId, version).catch((error: unknown) => {
    throw form === 'kms' && error instanceof KeyMissing ? noSuchKey() : error;
  });
  // A default ring that an earlier tenant of this name left behind is not this tenant's either.
  if (!isDefault && (kek.tenant !== owner.name || kek.name === undefined)) throw foreign();
  if (kek.state === 'disabled') throw disabled(kek);
  if (kek.state === 'pending') throw awaitsDestruction(kek);
  return wrappingKey(kek, toldOf(kek, form));
}

/**
 * All keys of the tenant's default ring, the newest first.
 * @throws GatewayError KeyUnavailable, KeyStoreUnavailable, KmsKeyDisabled, KmsKeyInvalidState
 */
export async function aliveKeys(
  { ringId }: RingOwner,
  keyRings: Pick<KeyRings, 'all'>,
): Promise<readonly WrappingKey[]> {
  const keks = await keyRings.all(ringId);
  for (const kek of keks) {
    if (kek.state === 'disabled') throw disabled(kek);
    if (kek.state === 'pending') throw awaitsDestruction(kek);
  }
  return keks.map((kek) => wrappingKey(kek, MANAGED));
}

/**
 * A key under which a new object is to be sealed.
 * @throws GatewayError KmsKeyDisabled, KmsKeyInvalidState
 */
export function sealingKey(kek: Kek, told: EncryptionFacts): WrappingKey {
  if (kek.state === 'pending') throw awaitsDestruction(kek);
  if (kek.state !== 'enabled') throw disabled(kek);
  return wrappingKey(kek, told);
}

/** What clients are told of an object under this key. */
function toldOf({ name }: Pick<Kek, 'name'>, form: KeyName['form']): EncryptionFacts {
  if (name !== undefined) return { kind: 'kms', keyId: name };
  return form === 'kms' ? DEFAULT_KMS : MANAGED;
}

/** The error for a key that a client names and that its tenant does not have. Whether another has it is not told. */
export function noSuchKey(): GatewayError {
  return clientError('KmsKeyNotFound', 'The specified key does not exist.');
}

function wrappingKey({ ringId, version, key, fingerprint }: Kek, told: EncryptionFacts): WrappingKey {
  return { ringId, version, key, fingerprint, told };
}

function disabled({ state, name = DEFAULT_KEY_NAME }: Kek): GatewayError {
  const may = state === 'decrypt-only' ? 'only decrypts what it has encrypted' : 'is disabled';
  return clientError('KmsKeyDisabled', `The key ${name} ${may}.`);
}

function awaitsDestruction({ name = DEFAULT_KEY_NAME }: Kek): GatewayError {
  return clientError('KmsKeyInvalidState', `The key ${name} is pending deletion.`);
}

function foreign(): GatewayError {
  return corrupted(new Error('It is sealed under a key ring that is not this tenant’s.'));
}
