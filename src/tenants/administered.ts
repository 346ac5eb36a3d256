import type { Secret } from '../secret.ts';
import type { BackendKey } from './backend-key.ts';
import type { Credential } from './credential.ts';
import type { Tenant } from './tenant.ts';

/** This file holds what administrators are told. */

/** A new access key with its secret, which is shown once, to whoever made it. */
export interface IssuedCredential {
  readonly tenant: Tenant;
  readonly accessKeyId: string;
  readonly secret: Secret;
}

/** What may be listed of a credential. */
export interface CredentialSummary extends Pick<Credential, 'accessKeyId' | 'tenant' | 'createdAt'> {
  /** The access key id of the credential's own backend key. */
  readonly backendAccessKeyId: string | undefined;
}

/** To whom a backend key belongs: to one access key, or to the whole tenant. */
export interface BackendKeyOwner {
  readonly tenant: string;
  readonly accessKeyId: string | undefined;
  readonly key: BackendKey;
}

/** What was removed together with a tenant. */
export interface RemovedTenant {
  readonly credentials: readonly string[];
  /** The ids of the rings that were destroyed; empty if keys were kept. */
  readonly destroyedRings: readonly string[];
}
