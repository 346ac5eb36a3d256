import type { ClientMetadata, ContentFields } from './claims.ts';
import { CONTENT_FIELDS } from './claims.ts';
import { CONTEXT_ENTRY } from './encryption-context.ts';
import { ENVELOPE_ENTRY } from './envelope.ts';
import { LOCATION_ENTRY } from './location-claim.ts';

/**
 * This file splits a client's metadata into two parts for the store (FORMAT.md §3.3). Stores drop, rename, rewrite,
 * re-encode or act on some names and values. What every store keeps unchanged is stored in clear, so that other tools
 * and older gateways can read it. Everything else is carried in one entry of the gateway's own, in a text that every
 * store keeps unchanged.
 */

/** The name of that entry in the user metadata. It is never shown to a client, nor taken from one. */
export const CARRIED_ENTRY = 'sx1m';

/** The entries of the gateway's own. Clients see none of them, and no tag covers them. */
const OWN_ENTRIES: ReadonlySet<string> = new Set([ENVELOPE_ENTRY, CARRIED_ENTRY, CONTEXT_ENTRY, LOCATION_ENTRY]);

/** The prefix of names that belong to the gateway. */
const OWN_NAMES = 'sx1';
const VERSION = 1;
/**
 * The id of an entry of user metadata. The six content headers have the ids 1 to 6, in the order of the canonical form.
 */
const USER = 7;
const MAX_FIELD_BYTES = 0xffff;

/**
 * The names that every store keeps: letters, digits and single hyphens. nginx and CGI drop names with `_` or `.`, and
 * some stores replace those by `-`. MinIO drops names that begin with `x-`, `snowball-` or `minio-`, or acts on them.
 */
const KEPT_NAME = /^(?!x-|minio-|snowball-|sx1)[a-z0-9]+(?:-[a-z0-9]+)*$/;
const KEPT_NAME_BYTES = 128;

/**
 * The values that every store keeps: printable ASCII with single blanks inside. Stores drop empty values, and encode or
 * replace characters that are not ASCII.
 */
const KEPT_VALUE = /^[!-~]+(?: [!-~]+)*$/;
/** The beginning of an RFC 2047 encoded word. Stores decode such values, or encode them once more. */
const ENCODED_WORD = '=?';

/** The only form of a date that MinIO keeps (RFC 9110 §5.6.7). It rewrites other forms, and drops what is no date. */
const IMF_FIXDATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;
/** The name of S3's framing of bodies. Stores remove it from Content-Encoding. */
const FRAMING = /aws-chunked/i;

/** Whether every store keeps an entry of user metadata unchanged, so that it may be stored in clear. */
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

/** The metadata that are stored in clear. */
export interface SplitMetadata extends ClientMetadata {
  /** The text of the entry that carries the rest; undefined where there is no rest. */
  readonly carried: string | undefined;
}

/**
 * Splits metadata.
 * @throws RangeError for a name or value of more than 65,535 bytes, or with a character past U+00FF
 */
export function splitMetadata({ content, user }: ClientMetadata): SplitMetadata {
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

/** The metadata of a stored object as its client sent them. */
export interface GatheredMetadata extends ClientMetadata {
  /** Whether there was an entry with carried metadata that could be read. */
  readonly carries: boolean;
}

/**
 * Puts together what `splitMetadata` took apart, and leaves out the gateway's own entries. The result is not verified:
 * its meta_tag must be. An entry with carried metadata adds nothing if it is there twice, or is not what a writer
 * makes.
 */
export function gatherMetadata({ content, user }: ClientMetadata): GatheredMetadata {
  const clear = user.filter(([name]) => !OWN_ENTRIES.has(name));
  const texts = user.length === clear.length ? [] : user.filter(([name]) => name === CARRIED_ENTRY);
  const carried = texts.length === 1 ? readCarried((texts[0] as readonly [string, string])[1]) : undefined;
  if (carried === undefined) return { content, user: clear, carries: false };
  return { content: { ...content, ...carried.content }, user: [...clear, ...carried.user], carries: true };
}

const TOKEN = /^[a-z0-9!#$%&'*+\-.^_`|~]+$/;
const CONTROL_CHARACTER = /[\0-\x08\x0a-\x1f\x7f]/;

/**
 * Reads the text of an entry with carried metadata. Names must be valid names of header fields, and values must contain
 * no control characters, because they become headers of answers, even where a policy serves metadata that are not
 * verified.
 * @returns undefined for anything but the exact text that `splitMetadata` would make
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
