import { clientError } from '../../../errors.ts';
import type { AskedEncryption, CustomerKey, EncryptionFacts } from '../../../operations/encryption.ts';
import { HeaderList } from '../../../wire/headers.ts';
import { type CustomerKeyNames, customerKeyIn, type WrongCustomerKey } from '../../encryption/customer-key.ts';
import { singleHeader } from '../../object-metadata.ts';

/*
 * Reads and writes QingStor's headers about encryption, which is with a key of the client's only (vendor documentation,
 * "数据加密"). Here only their form is checked; the rest is decided in src/encryption.
 */

/** The header by which answers name the algorithm. */
const ALGORITHM = 'x-qs-encryption-customer-algorithm';
const KEY_MD5 = 'x-qs-encryption-customer-key-md5';
const CUSTOMER: CustomerKeyNames = [ALGORITHM, 'x-qs-encryption-customer-key', KEY_MD5];
/** Older names of the same, from an article of the vendor's. No SDK has them. */
const OLDER: CustomerKeyNames = ['x-qs-encryption-algorithm', 'x-qs-encryption-key', 'x-qs-encryption-md5'];
const SOURCE: CustomerKeyNames = [
  'x-qs-copy-source-encryption-customer-algorithm',
  'x-qs-copy-source-encryption-customer-key',
  'x-qs-copy-source-encryption-customer-key-md5',
];

/** The names of the headers with the key of the object or upload. */
export const KEY_HEADERS: readonly string[] = [...CUSTOMER, ...OLDER];
/** The names of the headers with the key of a copy's source. */
export const SOURCE_KEY_HEADERS: readonly string[] = SOURCE;

const WRONG: WrongCustomerKey = {
  key: (message) => clientError('InvalidArgument', message),
  algorithm: (message) => clientError('InvalidArgument', message),
};

/**
 * Reads the customer key that a request brings for its object or upload, by either set of names.
 * @throws GatewayError InvalidArgument where both sets are there and differ, or a header is there twice
 */
export function readEncryption(headers: HeaderList): AskedEncryption | undefined {
  return asked(customerKeyIn(underOneName(headers), CUSTOMER, WRONG));
}

/** Reads the customer key of a copy's source. @throws GatewayError InvalidArgument for a header that is there twice */
export function readSourceEncryption(headers: HeaderList): AskedEncryption | undefined {
  for (const name of SOURCE) singleHeader(headers, name);
  return asked(customerKeyIn(headers, SOURCE, WRONG));
}

/**
 * Reads and drops the customer key of a request that needs none, such as a deletion: clients send it with every request
 * about their object.
 * @throws GatewayError InvalidArgument for a key that is malformed
 */
export function dropEncryption(headers: HeaderList): void {
  const encryption = readEncryption(headers);
  if (encryption?.kind !== 'customer') return;
  encryption.key.check();
  encryption.key.erase();
}

/** Appends the headers by which QingStor tells that an object is encrypted with a key of the client's. */
export function appendEncryption(headers: HeaderList, encryption: EncryptionFacts | undefined): void {
  if (encryption?.kind !== 'customer') return;
  headers.append('X-QS-Encryption-Customer-Algorithm', 'AES256');
  if (encryption.keyMd5 === undefined) return;
  headers.append('X-QS-Encryption-Customer-Key-MD5', encryption.keyMd5.toString('base64'));
}

function asked(key: CustomerKey | undefined): AskedEncryption | undefined {
  return key && { kind: 'customer', key };
}

function underOneName(headers: HeaderList): HeaderList {
  const merged = new HeaderList();
  CUSTOMER.forEach((name, at) => {
    const older = OLDER[at] as string;
    const [one, other] = [singleHeader(headers, name), singleHeader(headers, older)];
    if (one !== undefined && other !== undefined && one !== other) {
      throw clientError('InvalidArgument', `The headers ${name} and ${older} say different things.`);
    }
    const value = one ?? other;
    if (value !== undefined) merged.append(name, value);
  });
  return merged;
}
