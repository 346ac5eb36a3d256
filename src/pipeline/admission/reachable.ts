import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import { policyFor } from '../../tenants/tenant.ts';
import { isForStaging } from '../../uploads/staging.ts';
import type { OperationContext } from '../context.ts';

/**
 * The policy of a bucket for a tenant; undefined where the tenant may not reach the bucket. No tenant reaches a staging
 * bucket, this gateway's or that of another gateway over the same store, even where a pattern of its names it.
 */
export function reachablePolicy(
  bucket: string,
  { staging, tenant }: Pick<OperationContext, 'staging' | 'tenant'>,
): BucketPolicy | undefined {
  return isForStaging(bucket, staging.bucket) ? undefined : policyFor(tenant, bucket);
}
