import { clientError } from '../../../../errors.ts';
import { type AskedEncryption, CustomerKey, type EncryptionFacts } from '../../../../operations/encryption.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { type CustomerKeyNames, customerKeyIn, type WrongCustomerKey } from '../../../encryption/customer-key.ts';
import { singleHeader } from '../../../object-metadata.ts';

/*
 * Reads and writes COS's headers about server-side encryption (vendor documentation, "Server-side encryption", and
 * "Common request headers"). Here only their form is checked. Whether an operation takes what is asked, and whether
 * there are keys for it, is decided in src/encryption.
 */

const METHOD = 'x-cos-server-side-encryption';
const KEY_ID = `${METHOD}-cos-kms-key-id`;
/** The older name, which the SDK for Java has. */
const OLD_KEY_ID = `${METHOD}-qcloud-kms-key-id`;
const CONTEXT = `${METHOD}-context`;
const KMS = 'cos/kms';
const CUSTOMER = `${METHOD}-customer-`;
const SOURCE_CUSTOMER = 'x-cos-copy-source-server-side-encryption-customer-';

const KMS_NAMES: readonly string[] = [KEY_ID, OLD_KEY_ID, CONTEXT];
const CUSTOMER_NAMES = customerNames(CUSTOMER);
const SOURCE_NAMES = customerNames(SOURCE_CUSTOMER);
const KNOWN: ReadonlySet<string> = new Set([METHOD, ...KMS_NAMES, ...CUSTOMER_NAMES]);

/** An error's detail for the front alone: the code with which COS refuses it. */
export const COS_CODE = 'cosCode';

function customerNames(prefix: string): CustomerKeyNames {
  return [`${prefix}algorithm`, `${prefix}key`, `${prefix}key-md5`];
}

/** Whether a header is about encryption. @param name in lower case */
export function speaksOfEncryption(name: string): boolean {
  return name.startsWith(METHOD) || name.startsWith(SOURCE_CUSTOMER);
}

/** What must be known of the request whose headers are read. */
export interface EncryptionHeaders {
  /** Its operation, for messages. */
  readonly operation: string;
  /** Whether it is a copy. It may then have the customer key of its source, which `readSourceEncryption` reads. */
  readonly copies?: boolean;
}

/**
 * Reads the encryption that a request asks for which begins an object or an upload; undefined where it asks for none.
 * @throws GatewayError InvalidArgument, NotImplemented for a header that is not known
 */
export function readWriteEncryption(headers: HeaderList, about: EncryptionHeaders): AskedEncryption | undefined {
  refuseUnknown(headers, about);
  const method = singleHeader(headers, METHOD) || undefined;
  const key = customerKey(headers, method, WRONG);
  if (key !== undefined) return key;
  if (method === KMS) return { kind: 'kms', keyId: readKeyId(headers), context: singleHeader(headers, CONTEXT) };
  const kms = KMS_NAMES.find((name) => headers.has(name));
  if (kms !== undefined) throw invalid(`${kms} needs ${METHOD}: ${KMS}.`);
  if (method === 'SM4') throw clientError('NotImplemented', 'The encryption algorithm SM4 is not available here.');
  return method === undefined ? undefined : { kind: 'managed', algorithm: method };
}

/**
 * Reads the encryption headers of a request about an object that exists. COS has a code of its own for each fault.
 * @throws GatewayError InvalidArgument (SSEHeaderNotAllowed) for a method of encryption, NotImplemented
 */
export function readObjectEncryption(headers: HeaderList, about: EncryptionHeaders): AskedEncryption | undefined {
  refuseUnknown(headers, about);
  const method = [METHOD, ...KMS_NAMES].find((name) => (headers.get(name) ?? '') !== '');
  if (method !== undefined) {
    throw invalid(`The header ${method} is not allowed in ${about.operation}.`, 'SSEHeaderNotAllowed');
  }
  return customerKey(headers, undefined, WRONG_IN_READ);
}

/**
 * Reads the customer key of a request about an upload. SDKs repeat with every part how the upload was begun; the
 * object is encrypted as it was then, which answers tell.
 * @throws GatewayError InvalidArgument, NotImplemented
 */
export function readUploadEncryption(headers: HeaderList, about: EncryptionHeaders): AskedEncryption | undefined {
  refuseUnknown(headers, about);
  const method = singleHeader(headers, METHOD) || undefined;
  if (method !== undefined && method !== 'AES256' && method !== KMS) {
    throw invalid(`${METHOD} must be AES256 or ${KMS}.`);
  }
  return customerKey(headers, method, WRONG);
}

/** Reads the customer key of a copy's source. @throws GatewayError InvalidArgument */
export function readSourceEncryption(headers: HeaderList): AskedEncryption | undefined {
  const key = customerKeyIn(headers, SOURCE_NAMES, WRONG);
  return key && { kind: 'customer', key };
}

/**
 * Refuses encryption headers in a request for which they mean nothing. A customer key is ignored there: clients send
 * it with every request about their object.
 * @throws GatewayError InvalidArgument, NotImplemented
 */
export function refuseEncryption(headers: HeaderList, operation: string): void {
  const asked = readObjectEncryption(headers, { operation });
  if (asked?.kind !== 'customer') return;
  asked.key.check();
  asked.key.erase();
}

function customerKey(
  headers: HeaderList,
  method: string | undefined,
  wrong: WrongCustomerKey,
): AskedEncryption | undefined {
  const key = customerKeyIn(headers, CUSTOMER_NAMES, wrong);
  if (key === undefined) return undefined;
  const keyId = KMS_NAMES.map((name) => headers.get(name)).find((value) => value !== undefined);
  if (method === undefined && keyId === undefined) return { kind: 'customer', key };
  key.erase();
  const refusal = invalid('A customer key is incompatible with the encryption method specified.');
  return {
    kind: 'customer',
    key: CustomerKey.malformed(refusal, { algorithm: key.said.algorithm, method, keyId }),
  };
}

const WRONG: WrongCustomerKey = { key: (message) => invalid(message), algorithm: (message) => invalid(message) };

const WRONG_IN_READ: WrongCustomerKey = {
  key: (message) => invalid(message, 'SsecDecryptHeaderInvalid'),
  algorithm: (message) => invalid(message, 'SsecDecryptHeaderInvalid'),
};

function readKeyId(headers: HeaderList): string | undefined {
  const [newer, older] = [KEY_ID, OLD_KEY_ID].map((name) => singleHeader(headers, name) || undefined);
  if (newer !== undefined && older !== undefined && newer !== older) {
    throw invalid(`${KEY_ID} and ${OLD_KEY_ID} name different keys.`);
  }
  return newer ?? older;
}

function refuseUnknown(headers: HeaderList, { operation, copies }: EncryptionHeaders): void {
  headers.forEach((name) => {
    if (!speaksOfEncryption(name) || KNOWN.has(name) || (copies === true && SOURCE_NAMES.includes(name))) return;
    throw clientError('NotImplemented', `${operation} with the header ${name.slice(0, 64)} is not available.`);
  });
}

function invalid(message: string, code?: string): Error {
  return clientError('InvalidArgument', message, code === undefined ? {} : { details: { [COS_CODE]: code } });
}

/** Appends the headers by which COS tells how an object is encrypted. */
export function appendEncryption(headers: HeaderList, encryption: EncryptionFacts): void {
  switch (encryption.kind) {
    case 'managed':
      headers.append(METHOD, 'AES256');
      return;
    case 'kms':
      headers.append(METHOD, KMS).append(KEY_ID, encryption.keyId);
      return;
    case 'customer':
      if (encryption.keyMd5 === undefined) return;
      headers.append(`${CUSTOMER}algorithm`, 'AES256');
      headers.append(`${CUSTOMER}key-MD5`, encryption.keyMd5.toString('base64'));
  }
}
