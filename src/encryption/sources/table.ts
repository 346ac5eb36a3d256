import type { KeyRings } from '../../keys/key-rings.ts';
import type { AskedEncryption, EncryptionForm } from '../../operations/encryption.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { KeySource } from '../key-source.ts';
import { TenantRing } from './tenant-ring.ts';

/** What a key source is made from: who asks, of which bucket, and how. */
export interface KeyRequest {
  readonly tenant: Tenant;
  readonly policy: BucketPolicy;
  /** undefined: the request says nothing, and the bucket's policy decides. */
  readonly asked: AskedEncryption | undefined;
}

/** Makes the key source of one request. */
export type OpenKeySource = (request: KeyRequest) => KeySource;

/** What rows are opened with, once a process. */
export interface KeySourceParts {
  readonly keyRings: KeyRings;
}

/** A way of asking, and who has keys for it. A form without a row is refused by `encryption/rules.ts`. */
export type KeySourceTable = { readonly [Form in EncryptionForm]?: (parts: KeySourceParts) => OpenKeySource };

/** The key sources of the product, a row for each form that clients may ask for. */
export const KEY_SOURCES: KeySourceTable = {
  managed:
    ({ keyRings }) =>
    ({ tenant }) =>
      new TenantRing(tenant, keyRings),
};
