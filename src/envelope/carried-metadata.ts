import type { ClientMetadata, ContentFields } from './claims.ts';
import { CONTENT_FIELDS } from './claims.ts';
import { ENVELOPE_ENTRY } from './envelope.ts';

/**
 * How a client's metadata lies in the store (FORMAT.md §3.3). Stores drop, rename, rewrite, re-encode or act on some
 * names and values. What all of them keep to the byte stands there in clear, for other tools and older gateways to
 * read; everything else is carried in one entry of the gateway's own, whose text no store has a reason to touch.
 */

/** The user-metadata name of that entry. Never shown to a client, never taken from one. */
export const CARRIED_ENTRY = 'sx1m';

/** Names that begin so are the gateway's own. */
const OWN_NAMES = 'sx1';
const VERSION = 1;
/** Marks a pair of user metadata; the six content headers have 1 to 6, in the order of the canonical form. */
const USER = 7;
const MAX_FIELD_BYTES = 0xffff;

/**
 * Letters, digits and single hyphens: proxies drop names with `_` or `.` (nginx, CGI), some stores make `-` of them. MinIO
 * drops or acts on names that begin with `x-`, `snowball-` and `minio-`, and keeps the others.
 */
const KEPT_NAME = /^(?!x-|minio-|snowball-|sx1)[a-z0-9]+(?:-[a-z0-9]+)*$/;
const KEPT_NAME_BYTES = 128;

/** Printable ASCII with single blanks inside. Stores drop what is empty, and encode or replace what is not ASCII. */
const KEPT_VALUE = /^[!-~]+(?: [!-~]+)*$/;
/** Stores decode what looks like an RFC 2047 encoded word, or encode it once more. */
const ENCODED_WORD = '=?';

/** RFC 9110 §5.6.7: MinIO rewrites other forms of a date, and drops what is none. */
const IMF_FIXDATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;
/** S3's framing of a body: stores take its name out of Content-Encoding. */
const FRAMING = /aws-chunked/i;

export function isKeptEntry([name, value]: readonly [name: string, value: string]): boolean {
  return name.length <= KEPT_NAME_BYTES && KEPT_NAME.test(name) && isKeptValue(value);
}

function isKeptValue(value: string): boolean {
  return KEPT_VALUE.test(value) && !value.includes(ENCODED_WORD);
}

function isKeptContent(field: keyof ContentFields, value: string): boolean {
  if (!isKeptValue(value)) return false;
  if (field === 'expires') return IMF_FIXDATE.test(value) && new Date(value).toUTCString() === value;
  return field !== 'contentEncoding' || !FRAMING.test(value);
}

/** What stands in the store in clear, and the text of the entry that carries the rest, where there is any. */
export interface LaidMetadata extends ClientMetadata {
  readonly carried: string | undefined;
}

/** @throws RangeError for a name or value of more than 65,535 bytes, or past latin1 */
export function layMetadata({ content, user }: ClientMetadata): LaidMetadata {
  const clear: { -readonly [field in keyof ContentFields]: string } = {};
  const carriedContent: Buffer[] = [];
  for (const [at, field] of CONTENT_FIELDS.entries()) {
    const value = content[field];
    if (value === undefined) continue;
    if (isKeptContent(field, value)) clear[field] = value;
    else carriedContent.push(Buffer.from([at + 1]), lengthAndBytes(value));
  }
  const carriedUser = user.filter((entry) => !isKeptEntry(entry));
  if (carriedContent.length === 0 && carriedUser.length === 0) return { content: clear, user, carried: undefined };
  carriedUser.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  const pairs = carriedUser.flatMap(([name, value]) => [
    Buffer.from([USER]),
    lengthAndBytes(name),
    lengthAndBytes(value),
  ]);
  return {
    content: clear,
    user: user.filter(isKeptEntry),
    carried: Buffer.concat([Buffer.from([VERSION]), ...carriedContent, ...pairs]).toString('base64url'),
  };
}

function lengthAndBytes(text: string): Buffer {
  if (text.length > MAX_FIELD_BYTES || /[^\x00-\xff]/.test(text)) {
    throw new RangeError('Metadata must be latin1 text of at most 65,535 bytes.');
  }
  const bytes = Buffer.allocUnsafe(2 + text.length);
  bytes.writeUInt16BE(text.length);
  bytes.write(text, 2, 'latin1');
  return bytes;
}

/** A stored object's metadata as its client sent it. */
export interface GatheredMetadata extends ClientMetadata {
  /** Whether an entry was there that carries metadata, and could be read. */
  readonly carries: boolean;
}

/**
 * Puts together what layMetadata took apart, without the gateway's own entries. Believes nothing: meta_tag proves the
 * outcome. An entry that is there twice, or is not as a writer makes it, adds nothing.
 */
export function gatherMetadata({ content, user }: ClientMetadata): GatheredMetadata {
  const clear = user.filter(([name]) => name !== ENVELOPE_ENTRY && name !== CARRIED_ENTRY);
  const texts = user.length === clear.length ? [] : user.filter(([name]) => name === CARRIED_ENTRY);
  const carried = texts.length === 1 ? readCarried((texts[0] as readonly [string, string])[1]) : undefined;
  if (carried === undefined) return { content, user: clear, carries: false };
  return { content: { ...content, ...carried.content }, user: [...clear, ...carried.user], carries: true };
}

const TOKEN = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/;
const CONTROL_CHARACTER = /[\0-\x08\x0a-\x1f\x7f]/;

/**
 * Reads the text of the entry. Names must be those of header fields and values free of control characters, since an
 * answer's head is made of them, also where a policy serves metadata that its tag does not prove.
 * @returns undefined for anything but the exact text that layMetadata would make
 */
export function readCarried(text: string): ClientMetadata | undefined {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text || bytes[0] !== VERSION || bytes.length < 2) return undefined;
  const content: { -readonly [field in keyof ContentFields]: string } = {};
  const user: (readonly [name: string, value: string])[] = [];
  let at = 1;
  const take = (): string | undefined => {
    if (at + 2 > bytes.length) return undefined;
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) return undefined;
    const field = bytes.toString('latin1', at + 2, end);
    at = end;
    return CONTROL_CHARACTER.test(field) ? undefined : field;
  };
  for (let before = 0; at < bytes.length; ) {
    const kind = bytes[at++] as number;
    const field = kind < USER ? CONTENT_FIELDS[kind - 1] : undefined;
    if (kind < before || (kind === before && kind !== USER)) return undefined;
    before = kind;
    if (field !== undefined) {
      const value = take();
      if (value === undefined) return undefined;
      content[field] = value;
      continue;
    }
    const name = kind === USER ? take() : undefined;
    const value = name === undefined ? undefined : take();
    if (name === undefined || value === undefined || !TOKEN.test(name) || name.startsWith(OWN_NAMES)) return undefined;
    const last = user.at(-1)?.[0];
    if (last !== undefined && last >= name) return undefined;
    user.push([name, value]);
  }
  return { content, user };
}
