/**
 * RFC 2047 encoded words around user metadata. S3 and MinIO give values with non-ASCII bytes back as encoded words
 * (`=?UTF-8?q?gr=C3=BC=C3=9Fe?=`), and a value that a client itself wrote so comes back the same: the two cannot be
 * told apart, and the metadata tag (FORMAT.md §3) would not hold. So the gateway stores both kinds as one encoded
 * word of its own, and decodes exactly one layer on the way back: what was sent is what is read, byte for byte.
 */

const NEEDS_ENCODING = /[^\t\x20-\x7e]|=\?/;

/** @param value latin1, a character a byte */
export function encodeMetadataValue(value: string): string {
  return NEEDS_ENCODING.test(value) ? `=?UTF-8?B?${Buffer.from(value, 'latin1').toString('base64')}?=` : value;
}

/** One word, and the blank that separates it from the next (not part of the text, §6.2). */
const WORD = /=\?utf-8\?([bq])\?([^? ]*)\?=(?:[ \t]+(?==\?)|$)/giy;

const CONTROL_CHARACTER = /[\0-\x08\x0a-\x1f\x7f]/;

/**
 * Anything that is not made of encoded words alone is returned as it is. So is what would be control characters, which
 * no client's header can have: whoever writes to the store past the gateway must not break an answer's head by them.
 */
export function decodeMetadataValue(value: string): string {
  if (!value.startsWith('=?')) return value;
  let decoded = '';
  WORD.lastIndex = 0;
  while (WORD.lastIndex < value.length) {
    const match = WORD.exec(value);
    if (match === null) return value;
    const [, encoding = '', text = ''] = match;
    decoded += encoding.toLowerCase() === 'b' ? Buffer.from(text, 'base64').toString('latin1') : decodeQ(text);
  }
  return CONTROL_CHARACTER.test(decoded) ? value : decoded;
}

function decodeQ(text: string): string {
  return text
    .replaceAll('_', ' ')
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
