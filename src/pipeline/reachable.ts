import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import { policyFor } from '../tenants/tenant.ts';
import type { OperationContext } from './services.ts';

/**
 * The policy under which the tenant reaches a bucket; undefined when it does not. The gateway's own bucket for staged
 * parts is nobody's, whatever the patterns say.
 */
export function reachablePolicy(
  bucket: string,
  { services, tenant }: Pick<OperationContext, 'services' | 'tenant'>,
): BucketPolicy | undefined {
  return bucket === services.staging.bucket ? undefined : policyFor(tenant, bucket);
}
