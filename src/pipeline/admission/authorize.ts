import { clientError } from '../../errors.ts';
import type { OperationContext, OperationTools } from '../context.ts';
import { reachablePolicy } from './reachable.ts';

/**
 * A tenant reaches the buckets that its patterns name, and no others; undefined is the service itself. A copy asks
 * twice, for where it writes and for where it reads.
 * @throws GatewayError AccessDenied, InvalidBucketName for one that the store keeps to itself
 */
export function authorize(
  bucket: string | undefined,
  asker: Pick<OperationContext, 'tenant' | 'signal' | 'trace'>,
  tools: OperationTools,
): OperationContext {
  const { tenant, signal, trace } = asker;
  const { staging } = tools;
  if (bucket !== undefined) tools.store.buckets.check(bucket);
  const policy = bucket === undefined ? tenant.buckets[0] : reachablePolicy(bucket, { staging, tenant });
  if (policy === undefined) {
    throw clientError('AccessDenied', 'This access key’s tenant has no rights to the bucket.');
  }
  const keys = tools.keySources.open({ tenant, policy, asked: undefined });
  return { ...tools, tenant, signal, trace, policy, keys, formats: tools.formatsFor(policy) };
}
