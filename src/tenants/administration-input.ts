import { clientError } from '../errors.ts';
import { Secret } from '../secret.ts';
import { type BackendKey, checkBackendKey } from './backend-key.ts';
import { type BucketPolicy, bucketPolicy, type ProtectionWords } from './bucket-policy.ts';
import { isAccessKeyId, isSecret } from './credential.ts';
import { type LegacySignatures, TENANT_NAME } from './tenant.ts';

/** This file holds what administrators may ask, and the messages that tell them what is wrong with it. */

/** An access key to issue; what is not given is drawn at random. */
export interface CredentialInput {
  readonly accessKeyId?: string | undefined;
  readonly secret?: Secret | string | undefined;
  /** null: the access key gets no backend key of its own. */
  readonly backend?: BackendKey | null | undefined;
}

/** A tenant's settings; those that are undefined stay as they are. */
export interface TenantChange {
  /** A pattern alone gets the default policy. */
  readonly buckets?: readonly (string | (Partial<BucketPolicy> & { readonly pattern: string }))[] | undefined;
  readonly legacySignatures?: LegacySignatures | undefined;
  /** The tenant's backend key; null takes it away. */
  readonly backend?: BackendKey | null | undefined;
}

/** A new tenant with its first access key. */
export interface TenantInput extends TenantChange, Omit<CredentialInput, 'backend'> {
  readonly name: string;
  readonly buckets: NonNullable<TenantChange['buckets']>;
  /**
   * A ring that an earlier tenant of this name left behind, so that its objects can be opened again. By default a new
   * ring is made.
   */
  readonly ringId?: string;
}

/** @throws GatewayError InvalidArgument unless a tenant may have this name */
export function checkTenantName(name: string): void {
  if (TENANT_NAME.test(name)) return;
  throw refused(
    `The tenant name ${JSON.stringify(name)} must be 1 to 63 lower-case letters, digits, dots, hyphens and ` +
      `underscores, and begin with a letter or digit.`,
  );
}

/**
 * Makes the policies of a tenant.
 * @param protections the words that they may have for the protection
 * @throws GatewayError InvalidArgument
 */
export function policiesOf(buckets: TenantInput['buckets'], protections: ProtectionWords): BucketPolicy[] {
  if (buckets.length === 0) throw refused('A tenant needs at least one bucket pattern.');
  const policies = buckets.map((each) =>
    bucketPolicy(typeof each === 'string' ? { pattern: each } : each, protections),
  );
  const seen = new Set<string>();
  for (const { pattern } of policies) {
    if (seen.has(pattern)) throw refused(`The bucket pattern ${pattern} is there twice.`);
    seen.add(pattern);
  }
  return policies;
}

/** @throws GatewayError InvalidArgument, which never quotes the secret */
export function checkCredential({ accessKeyId, secret, backend }: CredentialInput): void {
  if (accessKeyId !== undefined && !isAccessKeyId(accessKeyId)) {
    throw refused(
      'The access key must be 3 to 128 letters, digits, dots, hyphens and underscores, and begin with a letter or ' +
        'digit.',
    );
  }
  if (secret !== undefined && !isSecret(asSecret(secret).reveal())) {
    throw refused('The secret must be 8 to 128 printable ASCII characters without spaces.');
  }
  if (backend) checkBackendKey(backend);
}

export function asSecret(secret: Secret | string): Secret {
  return typeof secret === 'string' ? new Secret(secret) : secret;
}

export function refused(message: string): Error {
  return clientError('InvalidArgument', message);
}

export function exists(name: string): Error {
  return refused(`The tenant ${name} exists already.`);
}

export function unknownTenant(name: string): Error {
  return refused(`There is no tenant ${name}.`);
}

/** Does not say whose it is, because an administrator need not know the access keys of another tenant. */
export function accessKeyTaken(accessKeyId: string): Error {
  return refused(`The access key ${accessKeyId} is taken already.`);
}
