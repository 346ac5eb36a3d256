import { clientError } from '../errors.ts';

const OUTER_BLANKS = /^[ \t]+|[ \t]+$/g;
const UNSAFE_IN_HEADER = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * Turns a decoded value of a query or form into that of a header: its UTF-8 bytes as latin1 characters, without blanks
 * around them. HTTP does not carry such blanks, so a value that had them would not authenticate when it is read back.
 * @throws GatewayError InvalidArgument for control characters, which could end the header and begin another one
 */
export function headerValue(name: string, value: string): string {
  if (UNSAFE_IN_HEADER.test(value)) {
    throw clientError('InvalidArgument', `The value of ${name.toLowerCase()} has control characters.`);
  }
  return Buffer.from(value, 'utf8').toString('latin1').replace(OUTER_BLANKS, '');
}
