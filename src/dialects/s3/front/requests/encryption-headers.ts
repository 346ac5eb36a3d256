import { clientError } from '../../../../errors.ts';
import { type AskedEncryption, CustomerKey, type EncryptionFacts } from '../../../../operations/encryption.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { customerKeyIn, type WrongCustomerKey } from '../../../encryption/customer-key.ts';
import { singleHeader } from '../../../object-metadata.ts';

/*
 * Reads and writes the headers about server-side encryption. Here only their form is checked, in S3's order and with
 * its messages. Whether an operation takes what is asked, and whether there are keys for it, is decided in
 * src/encryption. An unknown header of this family is refused, because a client would take its object for encrypted as
 * it asked.
 */

const MANAGED = 'x-amz-server-side-encryption';
const KMS_KEY = `${MANAGED}-aws-kms-key-id`;
const KMS_CONTEXT = `${MANAGED}-context`;
const BUCKET_KEY = `${MANAGED}-bucket-key-enabled`;
const CUSTOMER = `${MANAGED}-customer-`;
const SOURCE_CUSTOMER = 'x-amz-copy-source-server-side-encryption-customer-';

/** The headers that ask for another form of encryption than a customer key. */
const METHOD_NAMES: readonly string[] = [MANAGED, KMS_KEY, KMS_CONTEXT];

const MANAGED_NAMES: ReadonlySet<string> = new Set([MANAGED]);
const KMS_NAMES: ReadonlySet<string> = new Set([MANAGED, KMS_KEY, KMS_CONTEXT, BUCKET_KEY]);
const CUSTOMER_NAMES: ReadonlySet<string> = new Set(customerNames(CUSTOMER));
const SOURCE_NAMES: ReadonlySet<string> = new Set(customerNames(SOURCE_CUSTOMER));
const NO_NAMES: ReadonlySet<string> = new Set();

/** The headers that S3 reads in requests for an existing object. It ignores the others of the family there. */
export const READ_ENCRYPTION_HEADERS: readonly string[] = [MANAGED, ...customerNames(CUSTOMER)];

/** Whether a header is about encryption. @param name in lower case */
export function speaksOfEncryption(name: string): boolean {
  return name.startsWith(MANAGED) || name.startsWith(SOURCE_CUSTOMER);
}

/**
 * Appends the headers by which S3 tells how an object is encrypted. An object that is sealed with a managed key is told
 * as AES256, since its cipher is AES-256-GCM (FORMAT.md, suite 1).
 */
export function appendEncryption(headers: HeaderList, encryption: EncryptionFacts): void {
  switch (encryption.kind) {
    case 'managed':
      headers.append(MANAGED, 'AES256');
      return;
    case 'kms':
      headers.append(MANAGED, 'aws:kms').append(KMS_KEY, encryption.keyId);
      if (encryption.bucketKey === true) headers.append(BUCKET_KEY, 'true');
      return;
    case 'customer':
      if (encryption.keyMd5 === undefined) return;
      headers.append(`${CUSTOMER}algorithm`, 'AES256');
      headers.append(`${CUSTOMER}key-MD5`, encryption.keyMd5.toString('base64'));
  }
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
  if (!anySpeaksOfEncryption(headers)) return undefined;
  const customer = readCustomerForm(headers, about);
  if (customer !== undefined) return customer;
  const method = singleHeader(headers, MANAGED);
  const bucketKey = readBucketKey(headers);
  if (method === 'aws:kms') {
    refuseOthers(headers, about, KMS_NAMES);
    return {
      kind: 'kms',
      keyId: singleHeader(headers, KMS_KEY),
      context: singleHeader(headers, KMS_CONTEXT),
      bucketKey,
    };
  }
  if (method === 'aws:kms:dsse') throw unavailable(`${MANAGED}: ${method}`, about.operation);
  const kms = [KMS_KEY, KMS_CONTEXT].find((name) => headers.has(name));
  if (kms !== undefined) throw invalid(`The header ${kms} needs ${MANAGED}: aws:kms.`);
  refuseOthers(headers, about, MANAGED_NAMES);
  return method === undefined ? undefined : { kind: 'managed', algorithm: method };
}

/**
 * Reads the encryption headers of a request about an existing object or upload; undefined where there are none.
 * @throws GatewayError InvalidArgument, NotImplemented for a header that is not known
 */
export function readLaterEncryption(headers: HeaderList, about: EncryptionHeaders): AskedEncryption | undefined {
  if (!anySpeaksOfEncryption(headers)) return undefined;
  const customer = readCustomerForm(headers, about);
  if (customer !== undefined) return customer;
  const method = headers.get(MANAGED);
  if (method !== undefined) return { kind: 'managed', algorithm: method };
  const kms = [KMS_KEY, KMS_CONTEXT].find((name) => headers.has(name));
  if (kms !== undefined) throw invalid(`${kms} header is not supported for this operation.`);
  refuseOthers(headers, about, NO_NAMES);
  return undefined;
}

/**
 * Reads the customer key of a copy's source.
 * @throws GatewayError InvalidArgument
 */
export function readSourceEncryption(headers: HeaderList): AskedEncryption | undefined {
  return customerForm(readCustomerKey(headers, SOURCE_CUSTOMER));
}

/**
 * Refuses encryption headers in a request for which they mean nothing, because they belong to the one that began the
 * object. A whole customer key is ignored, as in S3: clients send it with every request about their object, and neither
 * deleting nor listing needs it.
 * @throws GatewayError InvalidArgument, InvalidEncryptionAlgorithm, NotImplemented for a header that is not known
 */
export function refuseEncryption(headers: HeaderList, operation: string): void {
  const asked = readLaterEncryption(headers, { operation });
  if (asked?.kind === 'managed') throw invalid(`${MANAGED} header is not supported for this operation.`);
  if (asked?.kind !== 'customer') return;
  asked.key.check();
  asked.key.erase();
}

function readBucketKey(headers: HeaderList): boolean | undefined {
  const text = singleHeader(headers, BUCKET_KEY);
  if (text === undefined) return undefined;
  const value = text.toLowerCase();
  if (value !== 'true' && value !== 'false') throw invalid(`The value of ${BUCKET_KEY} must be true or false.`);
  return value === 'true';
}

function anySpeaksOfEncryption(headers: HeaderList): boolean {
  let found = false;
  headers.forEach((name) => {
    found ||= speaksOfEncryption(name);
  });
  return found;
}

/**
 * Reads the customer key of the object or the upload. What is wrong with the headers beside it is told when the key is
 * looked at, as what is wrong with the key itself: a bucket that takes no customer keys refuses the request before.
 */
function readCustomerForm(headers: HeaderList, about: EncryptionHeaders): AskedEncryption | undefined {
  if (about.copies !== true && customerNames(SOURCE_CUSTOMER).some((name) => headers.has(name))) {
    throw unavailable('a customer key', about.operation);
  }
  const key = readCustomerKey(headers, CUSTOMER);
  const refusal = key && refusalOfOthers(headers, about);
  if (key === undefined || refusal === undefined) return customerForm(key);
  key.erase();
  const said = { algorithm: key.said.algorithm, method: headers.get(MANAGED), keyId: headers.get(KMS_KEY) };
  return customerForm(CustomerKey.malformed(refusal, said));
}

/** The error for headers about another form of encryption beside a customer key; undefined where there are none. */
function refusalOfOthers(headers: HeaderList, about: EncryptionHeaders): Error | undefined {
  if (METHOD_NAMES.some((name) => headers.has(name))) {
    return invalid(
      'Server Side Encryption with Customer provided key is incompatible with the encryption method specified.',
    );
  }
  const other = otherThan(CUSTOMER_NAMES, headers, about);
  return other === undefined ? undefined : unavailable(`the header ${other.slice(0, 64)}`, about.operation);
}

function customerForm(key: CustomerKey | undefined): AskedEncryption | undefined {
  return key && { kind: 'customer', key };
}

/** Refuses headers about encryption other than the known ones. */
function refuseOthers(headers: HeaderList, about: EncryptionHeaders, known: ReadonlySet<string>): void {
  const other = otherThan(known, headers, about);
  if (other !== undefined) throw unavailable(`the header ${other.slice(0, 64)}`, about.operation);
}

/** Finds a header about encryption other than the known ones. */
function otherThan(
  known: ReadonlySet<string>,
  headers: HeaderList,
  { copies }: Pick<EncryptionHeaders, 'copies'>,
): string | undefined {
  let other: string | undefined;
  headers.forEach((name) => {
    if (!speaksOfEncryption(name) || known.has(name) || (copies === true && SOURCE_NAMES.has(name))) return;
    other ??= name;
  });
  return other;
}

/**
 * Reads a customer key from its three headers. What is wrong with them is told when the key is looked at (CustomerKey).
 */
function readCustomerKey(headers: HeaderList, prefix: string): CustomerKey | undefined {
  return customerKeyIn(headers, customerNames(prefix), WRONG);
}

const WRONG: WrongCustomerKey = {
  key: invalid,
  algorithm: (message) => clientError('InvalidEncryptionAlgorithm', message),
};

function customerNames(prefix: string): readonly [algorithm: string, key: string, md5: string] {
  return [`${prefix}algorithm`, `${prefix}key`, `${prefix}key-md5`];
}

function invalid(message: string): Error {
  return clientError('InvalidArgument', message);
}

function unavailable(what: string, operation: string): Error {
  return clientError('NotImplemented', `${operation} with ${what} is not available.`);
}
