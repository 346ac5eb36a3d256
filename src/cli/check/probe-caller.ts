import type { Secret } from '../../secret.ts';
import { type BucketPolicy, bucketPolicy } from '../../tenants/bucket-policy.ts';
import { policyFor } from '../../tenants/tenant.ts';
import type { Stores } from '../shell/with-stores.ts';

/** Somebody who may use the probe's bucket for a moment. */
export interface Caller {
  readonly accessKeyId: string;
  readonly secret: Secret;
  readonly policy: BucketPolicy;
  readonly release: () => Promise<unknown>;
}

/** A bucket that is a tenant's gets a short-lived access key of that tenant; another a tenant of its own. */
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
  const { accessKeyId, secret } = await administration.addTenant({ name, buckets: [bucket] });
  // Its only object is deleted before: the key protects nothing any more.
  const release = () => administration.removeTenant(name, { destroyKeys: true });
  return { accessKeyId, secret, policy: bucketPolicy({ pattern: bucket }), release };
}
