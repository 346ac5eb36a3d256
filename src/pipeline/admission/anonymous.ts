import { clientError, type GatewayError } from '../../errors.ts';
import type { Operation } from '../../operations/operation.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { Askers } from './askers.ts';
import { reachablePolicy } from './reachable.ts';

/**
 * The operations that may be asked without a signature; the backend's bucket policy decides what is allowed. S3 takes
 * copies and uploads in parts only from known requesters, and anonymous requests do not create or list buckets.
 */
const WITHOUT_SIGNATURE: ReadonlySet<Operation['kind']> = new Set<Operation['kind']>([
  'GetObject',
  'HeadObject',
  'PutObject',
  'PostObject',
  'DeleteObject',
  'DeleteObjects',
  'ListObjects',
  'ListObjectVersions',
  'HeadBucket',
  'GetBucketLocation',
  'Forward',
]);

/**
 * Finds the tenant who owns the bucket of an unsigned request.
 * @throws GatewayError AnonymousRequest, unless the bucket's policy takes such requests; it reveals nothing else about
 * the bucket
 */
export async function anonymousTenant(bucket: string | undefined, { services }: Askers): Promise<Tenant> {
  const { staging } = services.tools;
  const tenant = bucket === undefined ? undefined : await services.directory.owner(bucket);
  if (tenant !== undefined && bucket !== undefined) {
    if (reachablePolicy(bucket, { staging, tenant })?.anonymous === true) return tenant;
  }
  throw refused();
}

function refused(): GatewayError {
  return clientError('AnonymousRequest', 'The request is not signed, and only signed requests are taken here.');
}

/**
 * Refuses what an unsigned request may not ask.
 * @param policy the policy of the bucket that the operation is about
 * @throws GatewayError AnonymousRequest, InvalidRequest
 */
export function checkAnonymous(operation: Operation, policy: BucketPolicy): void {
  if (!policy.anonymous || !WITHOUT_SIGNATURE.has(operation.kind)) throw refused();
  if (operation.kind !== 'GetObject' && operation.kind !== 'HeadObject') return;
  // This rule and its message are S3's: a link to somebody's object must not serve it as a page of the sender's choice.
  if (Object.values(operation.overrides).some((override) => override !== undefined)) {
    throw clientError('InvalidRequest', 'Request specific response headers cannot be used for anonymous GET requests.');
  }
}
