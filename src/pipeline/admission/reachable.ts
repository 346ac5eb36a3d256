import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import { type Decision, decisionFor } from '../../tenants/rules/decision.ts';
import { isForStaging } from '../../uploads/staging.ts';
import type { OperationContext } from '../context.ts';

/**
 * What holds for a bucket of a tenant; undefined where the tenant may not reach the bucket. No tenant reaches a staging
 * bucket, this gateway's or that of another gateway over the same store, even where a pattern of its names it.
 */
export function reachableDecision(
  bucket: string,
  { staging, tenant }: Pick<OperationContext, 'staging' | 'tenant'>,
): Decision | undefined {
  return isForStaging(bucket, staging.bucket) ? undefined : decisionFor(tenant, bucket);
}

/** The policy of a bucket for a tenant; undefined where the tenant may not reach the bucket. */
export function reachablePolicy(
  bucket: string,
  tools: Pick<OperationContext, 'staging' | 'tenant'>,
): BucketPolicy | undefined {
  return reachableDecision(bucket, tools)?.policy;
}
