/*
 * Writes and reads values of user metadata as RFC 2047 encoded words. S3 and MinIO return a value with non-ASCII bytes
 * as an encoded word (`=?UTF-8?q?gr=C3=BC=C3=9Fe?=`). A client may also have sent such a word itself, and the two
 * cannot be told apart in an answer; but the metadata tag (FORMAT.md §3) needs the value as the client sent it. So the
 * gateway stores a value of either kind as an encoded word of its own, and decodes exactly one layer when it reads the
 * value.
 */

const NEEDS_ENCODING = /[^\t\x20-\x7e]|=\?/;

/**
 * Encodes a value that a store would not return unchanged.
 * @param value bytes as latin1 characters
 */
export function encodeMetadataValue(value: string): string {
  return NEEDS_ENCODING.test(value) ? `=?UTF-8?B?${Buffer.from(value, 'latin1').toString('base64')}?=` : value;
}

/** Matches one encoded word and the blank before the next one, which is not part of the text (RFC 2047 §6.2). */
const WORD = /=\?utf-8\?([bq])\?([^? ]*)\?=(?:[ \t]+(?==\?)|$)/giy;

const CONTROL_CHARACTER = /[\0-\x08\x0a-\x1f\x7f]/;

/**
 * Decodes a value as the store returned it. A value that is not made of encoded words alone is returned as it is. So is
 * one that would decode to control characters: no client can have sent them, and somebody who writes to the store
 * directly must not be able to break the headers of an answer with them.
 * @returns bytes as latin1 characters
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
