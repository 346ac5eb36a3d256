import { clientError } from '../errors.ts';
import type { AskedEncryption, EncryptionForm } from '../operations/encryption.ts';
import { type Operation, operationName } from '../operations/operation.ts';
import type { KeySources } from './key-sources.ts';

/**
 * What an operation does with a form of encryption that a request asks for.
 *
 * - `takes`: the form may be asked for.
 * - `needs`: it may be asked for, and an object or an upload in this form can be used only by requests that ask again.
 * - `refuses`: the request is wrong, whatever the object is.
 */
export type Treatment = 'takes' | 'needs' | 'refuses';

/** The operations that say something of encryption; what a copy reads is asked for on its own. */
type Asking = Extract<Operation, { readonly encryption?: unknown }>['kind'] | 'CopySource';

type Rule = Readonly<Record<EncryptionForm, Treatment>>;

/** Of a request that begins an object or an upload. */
const BEGINS: Rule = { managed: 'takes', kms: 'takes', customer: 'takes' };

/** Of one about what was begun before: the object says how it is encrypted, and only a customer's key lies nowhere. */
const CONTINUES: Rule = { managed: 'refuses', kms: 'refuses', customer: 'needs' };

/** S3's rules, and those of the dialects that are like it (AWS documents them with each operation). */
export const ENCRYPTION_RULES: Readonly<Record<Asking, Rule>> = {
  PutObject: BEGINS,
  PostObject: BEGINS,
  CopyObject: BEGINS,
  CreateMultipartUpload: BEGINS,
  UploadPart: CONTINUES,
  UploadPartCopy: CONTINUES,
  GetObject: CONTINUES,
  HeadObject: CONTINUES,
  GetObjectAttributes: CONTINUES,
  CopySource: CONTINUES,
};

const SHOWN: Readonly<Record<EncryptionForm, string>> = {
  managed: 'a managed key',
  kms: 'a KMS key',
  customer: 'a customer key',
};

/** What an operation asks of encryption; undefined when it says nothing, or cannot. */
export function askedEncryption(operation: Operation): AskedEncryption | undefined {
  return 'encryption' in operation ? operation.encryption : undefined;
}

/**
 * Whether an operation takes the forms that its request asks for, and whether somebody has keys for them.
 * @throws GatewayError InvalidArgument, NotImplemented
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
    if (keySources.has(asked.kind)) return;
    throw clientError('NotImplemented', `${operationName(operation)} with ${SHOWN[asked.kind]} is not available.`);
  }
}
