import { clientError } from '../../errors.ts';
import type { AskedEncryption } from '../../operations/encryption.ts';
import type { CopySource } from '../../operations/operation.ts';
import type { OperationContext, OperationTools } from '../context.ts';
import { reachablePolicy } from './reachable.ts';

/**
 * Finds the tenant's policy for a bucket, and makes the context of the operation. A tenant reaches only buckets that
 * its patterns name.
 * @param bucket undefined for an operation on the service itself
 * @throws GatewayError AccessDenied, InvalidBucketName if the store reserves the bucket for itself
 */
export function authorize(
  bucket: string | undefined,
  asker: Pick<OperationContext, 'tenant' | 'signal' | 'trace'> & { readonly encryption?: AskedEncryption | undefined },
  tools: OperationTools,
): OperationContext {
  const { tenant, signal, trace } = asker;
  const { staging } = tools;
  if (bucket !== undefined) tools.store.buckets.check(bucket);
  const policy = bucket === undefined ? tenant.buckets[0] : reachablePolicy(bucket, { staging, tenant });
  if (policy === undefined) {
    throw clientError('AccessDenied', 'This access key’s tenant has no rights to the bucket.');
  }
  const keys = tools.keySources.open({ tenant, policy, asked: asker.encryption });
  return { ...tools, tenant, signal, trace, policy, keys, formats: tools.formatsFor(policy) };
}

/**
 * Makes the context in which a copy reads its source. The source has keys of its own, because the request's encryption
 * of the source is told apart from that of the copy.
 * @param context the context of the copy itself
 * @throws GatewayError as `authorize` does
 */
export function authorizeSource({ ref, encryption }: CopySource, context: OperationContext): OperationContext {
  const { tenant, signal, trace } = context;
  return authorize(ref.bucket, { tenant, signal, trace, encryption }, context);
}
