import { clientError } from '../../../../errors.ts';
import type { AskedEncryption, EncryptionFacts } from '../../../../operations/encryption.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { singleHeader } from '../../../object-metadata.ts';

/*
 * Reads and writes OSS's headers about server-side encryption (vendor documentation, "Server-side encryption"). Here
 * only their form is checked. Whether there are keys for what is asked is decided in src/encryption.
 */

export const METHOD = 'x-oss-server-side-encryption';
const KEY_ID = `${METHOD}-key-id`;
const CONTEXT = `${METHOD}-context`;
const DATA_ALGORITHM = 'x-oss-server-side-data-encryption';
/** Headers that only constants in some SDKs know. No page of the vendor's has them. */
const CUSTOMER = `${METHOD}-customer-`;

/** Whether a header is about encryption. @param name in lower case */
export function speaksOfEncryption(name: string): boolean {
  return name.startsWith(METHOD) || name === DATA_ALGORITHM;
}

/** The fine code (EC) by which OSS refuses the header in requests that do not have it. */
const NOT_HERE = '0005-00000002';
/** The one by which it refuses a context without a key of the client's own choice. */
const CONTEXT_WITHOUT_KEY = '0005-00000228';

/**
 * Reads the encryption that a request asks for which begins an object or an upload; undefined where it asks for none.
 * @throws GatewayError InvalidEncryptionAlgorithm, InvalidArgument, NotImplemented
 */
export function readWriteEncryption(headers: HeaderList, operation: string): AskedEncryption | undefined {
  const method = singleHeader(headers, METHOD);
  if (hasCustomerKey(headers)) throw unavailable(`${CUSTOMER}*`, operation);
  if (headers.has(DATA_ALGORITHM)) throw unavailable(DATA_ALGORITHM, operation);
  switch (method) {
    case 'KMS':
      return { kind: 'kms', ...readKey(headers) };
    case 'AES256':
      refuseKey(headers, KEY_ID);
      refuseKey(headers, CONTEXT);
      return { kind: 'managed', algorithm: method };
    case undefined:
      refuseKey(headers, KEY_ID);
      refuseKey(headers, CONTEXT);
      return undefined;
    default:
      throw clientError(
        'InvalidEncryptionAlgorithm',
        method === 'SM4'
          ? 'The encryption algorithm SM4 is not available here. Use AES256 or KMS.'
          : `The encryption request you specified is not valid. ${METHOD} must be AES256 or KMS.`,
        { details: { ArgumentName: METHOD, ArgumentValue: method.slice(0, 64) } },
      );
  }
}

function readKey(headers: HeaderList): { readonly keyId: string | undefined; readonly context: string | undefined } {
  const keyId = singleHeader(headers, KEY_ID);
  const context = singleHeader(headers, CONTEXT);
  if (context !== undefined && keyId === undefined) {
    throw invalid(`${CONTEXT} needs ${KEY_ID}.`, CONTEXT, CONTEXT_WITHOUT_KEY);
  }
  return { keyId, context };
}

function refuseKey(headers: HeaderList, name: string): void {
  if (headers.has(name)) throw invalid(`${name} needs ${METHOD}: KMS.`, name);
}

/**
 * Refuses encryption headers in a request that does not begin an object. OSS answers InvalidArgument, whatever the
 * value.
 * @throws GatewayError InvalidArgument
 */
export function refuseEncryption(headers: HeaderList, operation: string): void {
  headers.forEach((name) => {
    if (!speaksOfEncryption(name)) return;
    throw invalid(`The header ${name.slice(0, 64)} is not supported for ${operation}.`, name.slice(0, 64), NOT_HERE);
  });
}

/** Appends the headers by which OSS tells how an object is encrypted. */
export function appendEncryption(headers: HeaderList, encryption: EncryptionFacts): void {
  // There is no word for an object that another dialect's client encrypted with a key of its own.
  if (encryption.kind === 'customer') return;
  headers.append(METHOD, encryption.kind === 'kms' ? 'KMS' : 'AES256');
  if (encryption.kind === 'kms') headers.append(KEY_ID, encryption.keyId);
}

function hasCustomerKey(headers: HeaderList): boolean {
  let found = false;
  headers.forEach((name) => {
    found ||= name.startsWith(CUSTOMER);
  });
  return found;
}

function invalid(message: string, name: string, number?: string): Error {
  const details = { ArgumentName: name, ...(number !== undefined && { EC: number }) };
  return clientError('InvalidArgument', message, { details });
}

function unavailable(what: string, operation: string): Error {
  return clientError('NotImplemented', `${operation} with the header ${what} is not available.`);
}
