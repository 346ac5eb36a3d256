import type { KeyRings } from '../../keys/key-rings.ts';
import type { AskedEncryption, EncryptionForm } from '../../operations/encryption.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { KeySource } from '../key-source.ts';
import { TenantRing } from './tenant-ring.ts';

/** What the key source of one request is made from. */
export interface KeyRequest {
  readonly tenant: Tenant;
  readonly policy: BucketPolicy;
  /** The encryption that the request asks for; undefined leaves it to the bucket's policy. */
  readonly asked: AskedEncryption | undefined;
}

/** Makes the key source of one request. */
export type OpenKeySource = (request: KeyRequest) => KeySource;

/** What the rows of the table need. They get it once in a process. */
export interface KeySourceParts {
  readonly keyRings: KeyRings;
}

/**
 * For each form in which encryption may be asked for, what makes its key sources. A request for a form without a row is
 * refused by `encryption/rules.ts`.
 */
export type KeySourceTable = { readonly [Form in EncryptionForm]?: (parts: KeySourceParts) => OpenKeySource };

/** The key sources of the product. */
export const KEY_SOURCES: KeySourceTable = {
  managed:
    ({ keyRings }) =>
    ({ tenant }) =>
      new TenantRing(tenant, keyRings),
};
