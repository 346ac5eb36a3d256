import { clientError } from '../../errors.ts';
import type { Operation } from '../../operations/operation.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';

/**
 * A client that asks for encryption must not find its object in clear: a bucket without protection refuses.
 * @throws GatewayError NotImplemented
 */
export function checkAskedEncryption(operation: Operation, { protection }: BucketPolicy): void {
  if (protection === 'seal' || !('asksEncryption' in operation) || operation.asksEncryption !== true) return;
  throw clientError(
    'NotImplemented',
    'Encryption is asked for, and this bucket is kept without (protection: none). Send the object to another bucket, or ask for none.',
  );
}
