import { clientError } from '../../errors.ts';
import type { AskedEncryption } from '../../operations/encryption.ts';
import type { CopySource } from '../../operations/operation.ts';
import type { OperationContext, OperationTools } from '../context.ts';
import { reachablePolicy } from './reachable.ts';

/**
 * A tenant reaches the buckets that its patterns name, and no others; undefined is the service itself.
 * @throws GatewayError AccessDenied, InvalidBucketName for one that the store keeps to itself
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
 * What a copy reads with. Its source has keys of its own, since what a request says of the source's encryption is not what
 * it asks of the copy's.
 * @param context of the copy itself
 * @throws GatewayError as `authorize`
 */
export function authorizeSource({ ref, encryption }: CopySource, context: OperationContext): OperationContext {
  const { tenant, signal, trace } = context;
  return authorize(ref.bucket, { tenant, signal, trace, encryption }, context);
}
