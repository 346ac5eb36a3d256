import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import { policyFor } from '../tenants/tenant.ts';
import type { OperationContext } from './services.ts';
import { isForStaging } from './staging.ts';

/**
 * The policy under which the tenant reaches a bucket; undefined when it does not. Buckets for staged parts, this
 * gateway's and others' over the same store, are nobody's, whatever the patterns say.
 */
export function reachablePolicy(
  bucket: string,
  { services, tenant }: Pick<OperationContext, 'services' | 'tenant'>,
): BucketPolicy | undefined {
  return isForStaging(bucket, services.staging.bucket) ? undefined : policyFor(tenant, bucket);
}
