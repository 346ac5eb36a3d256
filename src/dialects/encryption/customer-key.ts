import { hash, timingSafeEqual } from 'node:crypto';
import { CustomerKey } from '../../operations/encryption.ts';
import type { HeaderList } from '../../wire/headers.ts';

/* Reads the key that a client sends with a request (SSE-C). Vendors differ in the names of the three headers. */

const CUSTOMER_KEY_BYTES = 32;

/** The names of the headers with a customer's key, in lower case. */
export type CustomerKeyNames = readonly [algorithm: string, key: string, md5: string];

/** Makes a vendor's errors for headers that have no usable key. */
export interface WrongCustomerKey {
  /** The error for a key, or a part of it, that is missing or wrong. */
  readonly key: (message: string) => Error;
  /** The error for an algorithm other than AES256. */
  readonly algorithm: (message: string) => Error;
}

/**
 * Reads a customer key from its three headers; undefined where none of them is there. What is wrong with them is told
 * when the key is looked at (CustomerKey).
 */
export function customerKeyIn(
  headers: HeaderList,
  names: CustomerKeyNames,
  wrong: WrongCustomerKey,
): CustomerKey | undefined {
  const [algorithm, key, md5] = names.map((name) => headers.get(name));
  if (algorithm === undefined && key === undefined && md5 === undefined) return undefined;
  const twice = names.find((name) => hasTwoValues(headers, name));
  if (twice !== undefined) {
    return CustomerKey.malformed(wrong.key(`The header ${twice} is there with two values.`), { algorithm });
  }
  return customerKey({ algorithm, key, md5 }, wrong);
}

interface Sent {
  readonly algorithm: string | undefined;
  readonly key: string | undefined;
  readonly md5: string | undefined;
}

/** As in S3, what is missing is reported before what is wrong. */
function customerKey({ algorithm, key, md5 }: Sent, wrong: WrongCustomerKey): CustomerKey {
  const malformed = (message: string) => CustomerKey.malformed(wrong.key(message), { algorithm });
  const must = 'Requests specifying Server Side Encryption with Customer provided keys must provide';
  if (algorithm === undefined) return malformed(`${must} a valid encryption algorithm.`);
  if (key === undefined) return malformed(`${must} an appropriate secret key.`);
  if (md5 === undefined) return malformed(`${must} the client calculated MD5 of the secret key.`);
  if (algorithm !== 'AES256') {
    const message = 'The Encryption request you specified is not valid. Supported value: AES256.';
    return CustomerKey.malformed(wrong.algorithm(message), { algorithm });
  }
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length !== CUSTOMER_KEY_BYTES || bytes.toString('base64') !== key) {
    bytes.fill(0);
    return malformed('The secret key was invalid for the specified algorithm.');
  }
  const [ours, theirs] = [hash('md5', bytes, 'buffer'), Buffer.from(md5, 'base64')];
  const fits = theirs.length === ours.length && timingSafeEqual(theirs, ours) && theirs.toString('base64') === md5;
  ours.fill(0);
  if (fits) return new CustomerKey(bytes, theirs);
  bytes.fill(0);
  theirs.fill(0);
  return malformed('The calculated MD5 hash of the key did not match the hash that was provided.');
}

/** Whether a header says two things. Which of them a proxy in front of the gateway has looked at, nobody knows. */
function hasTwoValues(headers: HeaderList, name: string): boolean {
  const [first, ...more] = headers.getAll(name);
  return more.some((value) => value !== first);
}
