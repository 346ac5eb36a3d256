import { clientError, type GatewayError } from '../../errors.ts';
import type { Operation } from '../../operations/operation.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import type { Askers } from './askers.ts';
import { reachablePolicy } from './reachable.ts';

/**
 * The operations that a request without a signature may ask for. Whether the bucket allows them is decided by the
 * backend's own bucket policy. S3 takes copies, multipart uploads and the making and listing of buckets only from
 * requesters that it knows, so they are not among them.
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
  'GetBucketPolicy',
  'GetBucketPolicyStatus',
  'PutBucketPolicy',
  'DeleteBucketPolicy',
  'Forward',
]);

/**
 * Finds the tenant that owns the bucket of a request without a signature.
 * @throws GatewayError AnonymousRequest unless the bucket's policy takes such requests. The error does not tell whether
 *   the bucket exists.
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
 * Checks that an operation may be asked for without a signature.
 * @param policy the policy of the bucket that the operation is about
 * @throws GatewayError AnonymousRequest, or InvalidRequest for a GET that overrides headers of its answer
 */
export function checkAnonymous(operation: Operation, policy: BucketPolicy): void {
  if (!policy.anonymous || !WITHOUT_SIGNATURE.has(operation.kind)) throw refused();
  if (operation.kind !== 'GetObject' && operation.kind !== 'HeadObject') return;
  // This is S3's rule, with S3's message. Otherwise anyone could make a link that serves somebody's object as HTML.
  if (Object.values(operation.overrides).some((override) => override !== undefined)) {
    throw clientError('InvalidRequest', 'Request specific response headers cannot be used for anonymous GET requests.');
  }
}
