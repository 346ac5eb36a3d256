import { clientError } from '../errors.ts';
import type { AskedEncryption } from '../operations/encryption.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';

/**
 * Whether a bucket's policy lets a request ask for this. A client that asks for encryption must not find its object in
 * clear, so a bucket without protection refuses.
 * @throws GatewayError NotImplemented
 */
export function checkPolicyAllows(asked: AskedEncryption | undefined, { protection }: BucketPolicy): void {
  if (asked === undefined || protection === 'seal') return;
  throw clientError(
    'NotImplemented',
    'Encryption is asked for, and this bucket is kept without (protection: none). Send the object to another bucket, or ask for none.',
  );
}
