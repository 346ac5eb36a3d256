import { clientError } from '../errors.ts';

/** Each byte as it is written: the unreserved characters of RFC 3986 as they are, and all others as %XX. */
const ENCODED: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});

const RESERVED = /[^A-Za-z0-9\-._~]+/g;
const RESERVED_BUT_SLASH = /[^A-Za-z0-9\-._~/]+/g;

/**
 * Percent-encodes the UTF-8 bytes of a text, except for the unreserved characters of RFC 3986, with upper-case hex. `/`
 * is encoded too. The Version 4 signatures of all vendors need this form.
 */
export function percentEncode(text: string): string {
  return text.replace(RESERVED, encodeBytes);
}

function encodeBytes(text: string): string {
  const only = text.length === 1 ? text.charCodeAt(0) : 0x80;
  if (only < 0x80) return ENCODED[only] as string;
  let encoded = '';
  for (const byte of Buffer.from(text, 'utf8')) encoded += ENCODED[byte];
  return encoded;
}

/** The same for an object's key in a path: `/` is not encoded. */
export function percentEncodePath(text: string): string {
  return text.replace(RESERVED_BUT_SLASH, encodeBytes);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes %XX once. The bytes must be valid UTF-8, as keys are in every dialect; a decoder that replaces invalid bytes
 * would make one key of two different ones.
 * @throws GatewayError InvalidURI
 */
export function percentDecode(text: string): string {
  if (!text.includes('%') && /^[\x20-\x7e]*$/.test(text)) return text;
  const bytes = Buffer.alloc(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '%') {
      const hex = text.slice(at + 1, at + 3);
      if (!/^[0-9A-Fa-f]{2}$/.test(hex)) {
        throw clientError('InvalidURI', 'The request target has a % that is not followed by two hex digits.');
      }
      bytes[length++] = Number.parseInt(hex, 16);
      at += 2;
    } else {
      bytes[length++] = text.charCodeAt(at);
    }
  }
  try {
    return strictUtf8.decode(bytes.subarray(0, length));
  } catch (cause) {
    throw clientError('InvalidURI', 'The request target is not valid UTF-8 after percent-decoding.', { cause });
  }
}
