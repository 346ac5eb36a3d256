import { hash } from 'node:crypto';
import { clientError } from '../../../../errors.ts';
import { equalInConstantTime } from '../../../../wire/constant-time.ts';
import type { HeaderList } from '../../../../wire/headers.ts';

/**
 * What requests ask of encryption. Managed encryption with AES256 is what the gateway does anyway. KMS keys and
 * customer keys are not available yet, and silence about them would be a lie: a whole and right request is told so,
 * and one that S3 refuses too is told what is wrong, as S3 says it.
 */

const MANAGED = 'x-amz-server-side-encryption';
const KMS = [`${MANAGED}-aws-kms-key-id`, `${MANAGED}-context`];
const CUSTOMER = `${MANAGED}-customer-`;
const SOURCE_CUSTOMER = 'x-amz-copy-source-server-side-encryption-customer-';
const CUSTOMER_KEY_BYTES = 32;

/** @param name lower case */
export function speaksOfEncryption(name: string): boolean {
  return name.startsWith(MANAGED) || name.startsWith(SOURCE_CUSTOMER);
}

/** Of a request that was checked: then it is AES256 that is asked for. */
export function asksEncryption(headers: HeaderList): boolean {
  return headers.has(MANAGED);
}

/** S3 tells it of every object; of the gateway's it is true of those that are sealed (FORMAT.md, suite 1: AES-256-GCM). */
export function appendEncryption(headers: HeaderList): void {
  headers.append(MANAGED, 'AES256');
}

/**
 * Of a request that begins an object.
 * @throws GatewayError InvalidArgument, NotImplemented
 */
export function checkWriteEncryption(headers: HeaderList, operation: string): void {
  checkCustomerKeys(headers, operation);
  const method = headers.get(MANAGED);
  if (method === 'aws:kms' || method === 'aws:kms:dsse') throw unavailable(`${MANAGED}: ${method}`, operation);
  const kms = KMS.find((name) => headers.has(name));
  if (kms !== undefined) throw invalid(`The header ${kms} needs ${MANAGED}: aws:kms.`);
  if (method !== undefined && method !== 'AES256') throw invalid('The encryption method specified is not supported.');
  refuseOthers(headers, operation, (name) => name !== MANAGED);
}

/**
 * Of a request that only a customer key can mean anything to: how an object is encrypted was said when it was begun.
 * @throws GatewayError InvalidArgument, NotImplemented
 */
export function checkLaterEncryption(headers: HeaderList, operation: string): void {
  checkCustomerKeys(headers, operation);
  if (headers.has(MANAGED)) throw invalid(`${MANAGED} header is not supported for this operation.`);
  refuseOthers(headers, operation, () => true);
}

function refuseOthers(headers: HeaderList, operation: string, among: (name: string) => boolean): void {
  headers.forEach((name) => {
    if (speaksOfEncryption(name) && among(name)) throw unavailable(`the header ${name.slice(0, 64)}`, operation);
  });
}

function checkCustomerKeys(headers: HeaderList, operation: string): void {
  for (const prefix of [CUSTOMER, SOURCE_CUSTOMER]) checkCustomerKey(headers, prefix, operation);
}

/** S3's own order: what is missing, then what is wrong. The key itself is compared and forgotten, and in no message. */
function checkCustomerKey(headers: HeaderList, prefix: string, operation: string): void {
  const algorithm = headers.get(`${prefix}algorithm`);
  const key = headers.get(`${prefix}key`);
  const md5 = headers.get(`${prefix}key-md5`);
  if (algorithm === undefined && key === undefined && md5 === undefined) return;
  const must = 'Requests specifying Server Side Encryption with Customer provided keys must provide';
  if (prefix === CUSTOMER && headers.has(MANAGED)) {
    throw invalid(
      'Server Side Encryption with Customer provided key is incompatible with the encryption method specified.',
    );
  }
  if (algorithm === undefined) throw invalid(`${must} a valid encryption algorithm.`);
  if (key === undefined) throw invalid(`${must} an appropriate secret key.`);
  if (md5 === undefined) throw invalid(`${must} the client calculated MD5 of the secret key.`);
  if (algorithm !== 'AES256') throw invalid('The valid value of the encryption algorithm is AES256.');
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length !== CUSTOMER_KEY_BYTES || bytes.toString('base64') !== key) {
    throw invalid('The secret key was invalid for the specified algorithm.');
  }
  if (!equalInConstantTime(hash('md5', bytes, 'base64'), md5)) {
    throw invalid('The calculated MD5 hash of the key did not match the hash that was provided.');
  }
  throw unavailable('a customer key', operation);
}

function invalid(message: string): Error {
  return clientError('InvalidArgument', message);
}

function unavailable(what: string, operation: string): Error {
  return clientError('NotImplemented', `${operation} with ${what} is not available.`);
}
