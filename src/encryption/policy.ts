import { clientError } from '../errors.ts';
import type { AskedEncryption } from '../operations/encryption.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';

/**
 * Checks that a bucket's policy allows the encryption that a request asks for. A bucket without protection refuses such
 * requests, because an object for which encryption was asked must not be stored in clear.
 * @param format the format in which the bucket's new objects are stored
 * @throws GatewayError NotImplemented
 */
export function checkPolicyAllows(
  asked: AskedEncryption | undefined,
  { protection }: Pick<BucketPolicy, 'protection'>,
  format: { readonly asSent: boolean },
): void {
  if (asked === undefined || !format.asSent) return;
  throw clientError(
    'NotImplemented',
    `Encryption is asked for, and this bucket is kept without (protection: ${protection}). ` +
      'Send the object to another bucket, or ask for none.',
  );
}
