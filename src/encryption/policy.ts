import { clientError } from '../errors.ts';
import type { AskedEncryption } from '../operations/encryption.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';

/**
 * Checks that a bucket's policy allows the encryption that a request asks for. A bucket without protection refuses such
 * requests, because an object for which encryption was asked must not be stored in clear.
 * @throws GatewayError NotImplemented
 */
export function checkPolicyAllows(asked: AskedEncryption | undefined, { protection }: BucketPolicy): void {
  if (asked === undefined || protection === 'seal') return;
  throw clientError(
    'NotImplemented',
    'Encryption is asked for, and this bucket is kept without (protection: none). Send the object to another bucket, ' +
      'or ask for none.',
  );
}
