import { clientError, type GatewayError } from '../errors.ts';
import { DEFAULT_KEY_NAME } from '../keys/key-names.ts';
import type { AskedEncryption } from '../operations/encryption.ts';
import type { Operation } from '../operations/operation.ts';
import { type BucketPolicy, INJECT, type InjectedForm } from '../tenants/bucket-policy.ts';
import type { Decision } from '../tenants/rules/decision.ts';
import { keyNameIn } from './key-id.ts';
import { customerKeyUnneeded } from './refusals.ts';
import { beginsObject, FORM_NAMES, writesObject } from './rules.ts';

/** What must be known of the format of a bucket's new objects. ObjectFormat has this shape. */
export interface KeptAs {
  /** Whether the store gets objects as they were sent. */
  readonly asSent: boolean;
  /** Set where the store is asked to encrypt them by itself. */
  readonly encrypter?: unknown;
}

/** The operations that read an object, and may bring its key. */
const READS: ReadonlySet<Operation['kind']> = new Set<Operation['kind']>([
  'GetObject',
  'HeadObject',
  'GetObjectAttributes',
]);

type Policy = Pick<BucketPolicy, 'protection' | 'inject'>;

/** Whether nobody encrypts the objects of a format. */
export function isKeptInClear({ asSent, encrypter }: KeptAs): boolean {
  return asSent && encrypter === undefined;
}

/**
 * Checks that a bucket's policy allows the encryption that a request asks for. A bucket without protection refuses such
 * requests, because an object for which encryption was asked must not be stored in clear. Where the store encrypts by
 * itself, the policy says how, and a request may ask for nothing else.
 * @param format the format in which the bucket's new objects are stored
 * @throws GatewayError NotImplemented, AccessDenied; CustomerKeyUnneeded for a request about an upload, which has no
 *   key of the client's
 */
export function checkPolicyAllows(
  operation: Operation,
  asked: AskedEncryption | undefined,
  { protection, inject = 'managed' }: Policy,
  format: KeptAs,
): void {
  if (asked === undefined || !format.asSent) return;
  // An object that was sealed under another policy is read as ever, and only the object tells. A key for one that is
  // not sealed is refused when that is known (KeySource.refuseUnsealed).
  if (READS.has(operation.kind)) return;
  if (!beginsObject(operation)) throw customerKeyUnneeded();
  if (format.encrypter !== undefined) {
    const refusal = refusedByInject(asked.kind, inject);
    if (refusal !== undefined) throw clientError('AccessDenied', refusal);
    return;
  }
  throw clientError(
    'NotImplemented',
    `Encryption is asked for, and this bucket is kept without (protection: ${protection}). ` +
      'Send the object to another bucket, or ask for none.',
  );
}

/** How objects are encrypted that the store encrypts by itself, in messages. */
const INJECTED: Readonly<Record<InjectedForm, string>> = {
  managed: 'with keys of its own (AES256)',
  kms: 'with keys of its KMS (aws:kms)',
  customer: 'with keys that the gateway manages (AES256)',
};

/**
 * Why a bucket whose objects the store encrypts by itself does not take what a request asks for; undefined where it
 * does. A key of the client's own is never handed on, and a key that the gateway derives is told as a managed one.
 */
function refusedByInject(asked: AskedEncryption['kind'], inject: InjectedForm): string | undefined {
  const given = inject === 'kms' ? 'kms' : 'managed';
  if (asked === given) return undefined;
  return (
    `New objects of this bucket are encrypted by the store ${INJECTED[inject]}, and not with ${FORM_NAMES[asked]}. ` +
    'Ask for nothing, or for just that.'
  );
}

/** Why a rule refuses how an object would be encrypted. */
export interface RefusedEncryption {
  readonly field: 'require' | 'keys' | 'customerKeys' | 'inject' | 'protection';
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
  { require, keys, customerKeys, protection, inject }: Decision['said'],
): RefusedEncryption | undefined {
  const injected = protection?.value === INJECT ? (inject?.value ?? 'managed') : undefined;
  const form = encryption?.kind ?? (injected === 'kms' ? 'kms' : 'managed');
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
  if (injected !== undefined && encryption !== undefined) {
    const message = refusedByInject(encryption.kind, injected);
    if (message !== undefined) return { field: inject === undefined ? 'protection' : 'inject', message };
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
 * @param asked the form that is set; undefined where only other settings are
 * @throws GatewayError NotImplemented for a bucket without protection, which encrypts nothing; AccessDenied for another
 *   form than the store is asked for
 */
export function checkPolicyAllowsDefault(
  { protection, inject = 'managed' }: Policy,
  asked: 'managed' | 'kms' | undefined,
  format: KeptAs,
): void {
  if (!format.asSent) return;
  if (format.encrypter !== undefined) {
    const refusal = asked && refusedByInject(asked, inject);
    if (refusal !== undefined) throw clientError('AccessDenied', refusal);
    return;
  }
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
