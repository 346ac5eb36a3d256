import { clientError } from '../errors.ts';
import type { AskedEncryption, CustomerKey, EncryptionForm } from '../operations/encryption.ts';
import { type Operation, operationName } from '../operations/operation.ts';
import type { KeySources } from './key-sources.ts';

/**
 * What an operation does with a form of encryption.
 *
 * - `takes`: a request may ask for this form.
 * - `needs`: a request may ask for this form, and must do so for an object or upload that has it.
 * - `refuses`: a request that asks for this form is an error, whatever the object is.
 */
export type Treatment = 'takes' | 'needs' | 'refuses';

/** The operations that may mention encryption. A copy mentions that of its source separately. */
type Asking = Extract<Operation, { readonly encryption?: unknown }>['kind'] | 'CopySource';

type Rule = Readonly<Record<EncryptionForm, Treatment>>;

/** The rule for requests that begin an object or an upload. */
const BEGINS: Rule = { managed: 'takes', kms: 'takes', customer: 'takes' };

/**
 * The rule for requests about an object or upload that exists. The object itself tells how it is encrypted, but a
 * customer's key is not kept anywhere, so the request must bring it.
 */
const CONTINUES: Rule = { managed: 'refuses', kms: 'refuses', customer: 'needs' };

/**
 * The rule for requests that need no key, and may bring that of the upload all the same: SDKs send it along.
 */
const MANAGES: Rule = { managed: 'refuses', kms: 'refuses', customer: 'takes' };

/** The rules of S3, as AWS documents them with each operation. Dialects of the S3 family share them. */
export const ENCRYPTION_RULES: Readonly<Record<Asking, Rule>> = {
  PutObject: BEGINS,
  PostObject: BEGINS,
  CopyObject: BEGINS,
  CreateMultipartUpload: BEGINS,
  UploadPart: CONTINUES,
  UploadPartCopy: CONTINUES,
  ListParts: MANAGES,
  CompleteMultipartUpload: MANAGES,
  GetObject: CONTINUES,
  HeadObject: CONTINUES,
  GetObjectAttributes: CONTINUES,
  CopySource: CONTINUES,
};

/** An operation that begins an object or an upload, and with that settles how the object is encrypted. */
type Beginning = Extract<
  Operation,
  { readonly kind: 'PutObject' | 'PostObject' | 'CopyObject' | 'CreateMultipartUpload' }
>;

/** Whether an operation begins an object or an upload. */
export function beginsObject(operation: Operation): operation is Beginning {
  return operation.kind in ENCRYPTION_RULES && ENCRYPTION_RULES[operation.kind as Asking] === BEGINS;
}

/** Whether an operation writes bytes of an object, or begins one. */
export function writesObject(
  operation: Operation,
): operation is Beginning | Extract<Operation, { readonly kind: 'UploadPart' | 'UploadPartCopy' }> {
  return beginsObject(operation) || operation.kind === 'UploadPart' || operation.kind === 'UploadPartCopy';
}

/** The names of the forms in error messages. */
export const FORM_NAMES: Readonly<Record<EncryptionForm, string>> = {
  managed: 'a managed key',
  kms: 'a KMS key',
  customer: 'a customer key',
};

/** The encryption that an operation asks for; undefined where it asks for none, or cannot. */
export function askedEncryption(operation: Operation): AskedEncryption | undefined {
  return 'encryption' in operation ? operation.encryption : undefined;
}

/** The customer keys that an operation's request brings: for the object or the upload, and for a copy's source. */
export function customerKeysOf(operation: Operation): readonly CustomerKey[] {
  const own = askedEncryption(operation);
  const ofSource = 'source' in operation ? operation.source.encryption : undefined;
  if (own?.kind !== 'customer' && ofSource?.kind !== 'customer') return NO_KEYS;
  return [own, ofSource].flatMap((asked) => (asked?.kind === 'customer' ? [asked.key] : []));
}

const NO_KEYS: readonly CustomerKey[] = [];

/**
 * Checks that an operation may ask for the encryption that it does, and that there are keys for it.
 * @throws GatewayError InvalidArgument where the operation may not ask for it, NotImplemented where there are no keys
 */
export function checkAskedForms(operation: Operation, keySources: Pick<KeySources, 'has'>): void {
  if ('encryption' in operation) check(operation.encryption, operation.kind);
  if ('source' in operation) check(operation.source.encryption, 'CopySource');

  function check(asked: AskedEncryption | undefined, asking: Asking): void {
    if (asked === undefined) return;
    if (ENCRYPTION_RULES[asking][asked.kind] === 'refuses') {
      throw clientError(
        'InvalidArgument',
        'An encryption method is said when an object or an upload is begun, and is not supported for this operation.',
      );
    }
    if (asked.kind === 'managed' && asked.algorithm !== 'AES256') {
      throw clientError('InvalidArgument', 'The encryption method specified is not supported.');
    }
    if (keySources.has(asked.kind)) return;
    throw clientError('NotImplemented', `${operationName(operation)} with ${FORM_NAMES[asked.kind]} is not available.`);
  }
}
