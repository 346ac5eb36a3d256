import type { Secret } from '../../secret.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import { policyFor } from '../../tenants/tenant.ts';
import type { Stores } from '../shell/with-stores.ts';

/** An access key that may use the probe's bucket for a moment. */
export interface Caller {
  readonly accessKeyId: string;
  readonly secret: Secret;
  readonly policy: BucketPolicy;
  readonly release: () => Promise<unknown>;
}

/**
 * Makes an access key for a bucket. If the bucket is a tenant's, the tenant gets a short-lived access key; if not, a
 * tenant is made.
 */
export async function findOwner(
  { administration }: Stores,
  { bucket, mark }: { readonly bucket: string; readonly mark: string },
): Promise<Caller> {
  for (const tenant of await administration.listTenants()) {
    const policy = policyFor(tenant, bucket);
    if (policy === undefined) continue;
    const { accessKeyId, secret } = await administration.addCredential(tenant.name);
    return { accessKeyId, secret, policy, release: () => administration.revokeCredential(accessKeyId) };
  }
  const name = `sealgate-check-${mark}`;
  const { accessKeyId, secret, tenant } = await administration.addTenant({ name, buckets: [bucket] });
  // The tenant's only object was deleted before, so its key protects nothing any more.
  const release = () => administration.removeTenant(name, { destroyKeys: true });
  return { accessKeyId, secret, policy: tenant.buckets[0] as BucketPolicy, release };
}
