import { clientError } from '../errors.ts';
import { reachablePolicy } from './reachable.ts';
import type { OperationContext } from './services.ts';

/**
 * A tenant reaches the buckets that its patterns name, and no others; undefined is the service itself. A copy asks
 * twice, for where it writes and for where it reads.
 * @throws GatewayError AccessDenied, InvalidBucketName for one that the store keeps to itself
 */
export function authorize(bucket: string | undefined, asker: Omit<OperationContext, 'policy'>): OperationContext {
  if (bucket !== undefined) asker.services.store.buckets.check(bucket);
  const policy = bucket === undefined ? asker.tenant.buckets[0] : reachablePolicy(bucket, asker);
  if (policy === undefined) {
    throw clientError('AccessDenied', 'This access key’s tenant has no rights to the bucket.');
  }
  return { ...asker, policy };
}
