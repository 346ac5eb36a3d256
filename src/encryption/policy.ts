import { clientError, type GatewayError } from '../errors.ts';
import { DEFAULT_KEY_NAME } from '../keys/key-names.ts';
import type { AskedEncryption } from '../operations/encryption.ts';
import type { Operation } from '../operations/operation.ts';
import type { BucketPolicy } from '../tenants/bucket-policy.ts';
import type { Decision } from '../tenants/rules/decision.ts';
import { keyNameIn } from './key-id.ts';
import { customerKeyUnneeded } from './refusals.ts';
import { beginsObject, FORM_NAMES, writesObject } from './rules.ts';

/**
 * Checks that a bucket's policy allows the encryption that a request asks for. A bucket without protection refuses such
 * requests, because an object for which encryption was asked must not be stored in clear.
 * @param format the format in which the bucket's new objects are stored
 * @throws GatewayError NotImplemented; CustomerKeyUnneeded for a request about an object or an upload that exists, and
 *   so has no key
 */
export function checkPolicyAllows(
  operation: Operation,
  asked: AskedEncryption | undefined,
  { protection }: Pick<BucketPolicy, 'protection'>,
  format: { readonly asSent: boolean },
): void {
  if (asked === undefined || !format.asSent) return;
  if (!beginsObject(operation)) throw customerKeyUnneeded();
  throw clientError(
    'NotImplemented',
    `Encryption is asked for, and this bucket is kept without (protection: ${protection}). ` +
      'Send the object to another bucket, or ask for none.',
  );
}

/** Why a rule refuses how an object would be encrypted. */
export interface RefusedEncryption {
  readonly field: 'require' | 'keys' | 'customerKeys';
  readonly message: string;
}

/**
 * Judges how an object is to be encrypted by the rules of the bucket that it is written to. What lies there already may
 * be read however it is encrypted.
 * @param encryption what the request asks, or else the bucket's default; undefined stands for a managed key
 * @returns undefined where the rules allow it
 */
export function refusedEncryption(
  operation: Operation,
  encryption: AskedEncryption | undefined,
  { require, keys, customerKeys }: Decision['said'],
): RefusedEncryption | undefined {
  const form = encryption?.kind ?? 'managed';
  if (form === 'customer' && customerKeys?.value === 'refuse' && writesObject(operation)) {
    return { field: 'customerKeys', message: 'Objects of this bucket may not be encrypted with keys of customers.' };
  }
  if (!beginsObject(operation)) return undefined;
  if (require !== undefined && require.value !== 'any' && require.value !== form) {
    return {
      field: 'require',
      message: `New objects of this bucket must be encrypted with ${FORM_NAMES[require.value]}.`,
    };
  }
  if (keys !== undefined && encryption?.kind === 'kms' && !isAmong(keys.value, encryption.keyId)) {
    return { field: 'keys', message: 'New objects of this bucket may not be encrypted with this key.' };
  }
  return undefined;
}

/** Whether a rule lists the key that a client names. What names no key is left to be refused as an unknown one. */
function isAmong(names: readonly string[], keyId: string = DEFAULT_KEY_NAME): boolean {
  const name = keyNameIn(keyId);
  return name === undefined || names.includes(name);
}

/**
 * Checks that a bucket may have a default encryption.
 * @throws GatewayError NotImplemented for a bucket without protection, which encrypts nothing
 */
export function checkPolicyAllowsDefault(
  { protection }: Pick<BucketPolicy, 'protection'>,
  format: { readonly asSent: boolean },
): void {
  if (!format.asSent) return;
  throw clientError(
    'NotImplemented',
    `A default encryption is set, and this bucket is kept without (protection: ${protection}).`,
  );
}

/** The error for a client that asks for the default encryption of a bucket without protection. */
export function noEncryption({ protection }: Pick<BucketPolicy, 'protection'>): GatewayError {
  return clientError(
    'NoBucketEncryption',
    'The server side encryption configuration was not found: this bucket is kept without encryption ' +
      `(protection: ${protection}).`,
  );
}
