import { clientError } from '../errors.ts';

const OUTER_BLANKS = /^[ \t]+|[ \t]+$/g;
const UNSAFE_IN_HEADER = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * A decoded value from query or form as a header's wire bytes (latin1 of its UTF-8), without the outer blanks that no
 * header keeps: the metadata tag would be over others than come back.
 * @throws GatewayError InvalidArgument for control characters: they would split a header
 */
export function headerValue(name: string, value: string): string {
  if (UNSAFE_IN_HEADER.test(value)) {
    throw clientError('InvalidArgument', `The value of ${name.toLowerCase()} has control characters.`);
  }
  return Buffer.from(value, 'utf8').toString('latin1').replace(OUTER_BLANKS, '');
}
