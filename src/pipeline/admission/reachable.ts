import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import { policyFor } from '../../tenants/tenant.ts';
import { isForStaging } from '../../uploads/staging.ts';
import type { OperationContext } from '../context.ts';

/**
 * Returns the policy under which the tenant reaches a bucket; undefined if it does not. Buckets for staged parts, of
 * this gateway and of others over the same store, belong to nobody, whatever the patterns say.
 */
export function reachablePolicy(
  bucket: string,
  { staging, tenant }: Pick<OperationContext, 'staging' | 'tenant'>,
): BucketPolicy | undefined {
  return isForStaging(bucket, staging.bucket) ? undefined : policyFor(tenant, bucket);
}
