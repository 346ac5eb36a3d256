import { clientError } from '../../errors.ts';
import type { Operation } from '../../operations/operation.ts';
import type { OperationContext } from '../context.ts';

/**
 * Holds an operation against what the policy of its bucket says of encryption, and that of a copy's source. It comes
 * before anybody looks at a customer's key.
 * @param bucket undefined for an operation on the whole service
 * @throws GatewayError AccessDenied, and the trace then names the statement; KeyStoreUnavailable
 */
export async function holdBucketPolicies(
  operation: Operation,
  bucket: string | undefined,
  { bucketPolicies, store, tenant, trace }: Pick<OperationContext, 'bucketPolicies' | 'store' | 'tenant' | 'trace'>,
): Promise<void> {
  const denying = await bucketPolicies.denial(operation, { bucket, tenant, store });
  if (denying === undefined) return;
  trace.rule = `bucket policy ${denying.name}`;
  throw clientError(
    'AccessDenied',
    'Access Denied: the policy of the bucket explicitly denies this because of what the request says, or does not ' +
      'say, of encryption.',
  );
}
