import { hash } from 'node:crypto';
import type { HeaderList } from '../../../wire/headers.ts';
import { percentDecode, percentEncode, percentEncodePath } from '../../../wire/percent.ts';
import type { QueryList } from '../../../wire/query.ts';
import { type SigningKey, type SigningScope, scopeText } from './signing-key.ts';

/*
 * Makes the canonical request and the string to sign of AWS Signature Version 4
 * (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth). It serves to verify clients, and to sign for
 * backends. Strings hold bytes as latin1 characters, as header values do.
 */

/** The SHA-256 of an empty body, in hex. */
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** The value of x-amz-content-sha256 for a body that is not signed. */
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

/** What a canonical request consists of. */
export interface CanonicalParts {
  readonly method: string;
  /** One of `canonicalPaths`. */
  readonly path: string;
  /** One of `canonicalQueries`. */
  readonly query: string;
  readonly headers: HeaderList;
  /** Names in lower case, sorted and without duplicates. */
  readonly signedHeaders: readonly string[];
  /** The value of x-amz-content-sha256: hex, UNSIGNED-PAYLOAD, or one of the STREAMING words. */
  readonly payloadHash: string;
}

/** Writes the canonical request. */
export function canonicalRequest(parts: CanonicalParts): string {
  let text = `${parts.method}\n${parts.path}\n${parts.query}\n`;
  for (const name of parts.signedHeaders) text += `${name}:${canonicalValue(parts.headers, name)}\n`;
  return `${text}\n${parts.signedHeaders.join(';')}\n${parts.payloadHash}`;
}

/** The canonical value of a header: repeated ones joined by a comma, without blanks around, runs of blanks as one. */
function canonicalValue(headers: HeaderList, name: string): string {
  const values = headers.getAll(name);
  return values.length === 1 ? collapse(values[0] as string) : values.map(collapse).join(',');
}

const NEEDS_COLLAPSE = /^[ \t]|[ \t]$|[ \t]{2}|\t/;

function collapse(value: string): string {
  return NEEDS_COLLAPSE.test(value) ? value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '') : value;
}

const ALREADY_CANONICAL = /^[A-Za-z0-9\-._~/]*$/;

/**
 * Returns the canonical URIs under which a client may have signed this path: the path as sent, and the path decoded and
 * encoded again, because some clients send `(` and sign `%28`. Both name the same object, since its key is the decoded
 * path. S3 never normalises `.`, `..` or `//`.
 */
export function canonicalPaths(rawPath: string): readonly string[] {
  if (ALREADY_CANONICAL.test(rawPath)) return [rawPath];
  const reencoded = percentEncodePath(percentDecode(rawPath));
  return reencoded === rawPath ? [rawPath] : [rawPath, reencoded];
}

/**
 * Returns the canonical queries under which a client may have signed this one. Clients that send a blank as `+` sign it
 * as `%20` or as `+`. Where `%2B` was signed, a plus was meant, and so that is not accepted.
 * @param except the parameter that has the signature
 */
export function canonicalQueries(query: QueryList, except?: string): readonly string[] {
  const canonical = canonicalQuery(query, except);
  const plus = query.parameters.some(({ rawName, rawValue }) => rawName.includes('+') || rawValue.includes('+'));
  return plus ? [canonical, joinSorted(query, except, encodeKeepingPlus)] : [canonical];
}

/** The canonical query: names and values decoded, strictly encoded again, and sorted by name, then by value. */
export function canonicalQuery(query: QueryList, except?: string): string {
  return joinSorted(query, except, (_raw, decoded) => percentEncode(decoded));
}

function encodeKeepingPlus(raw: string): string {
  return raw
    .split('+')
    .map((piece) => percentEncode(percentDecode(piece)))
    .join('+');
}

function joinSorted(
  query: QueryList,
  except: string | undefined,
  encode: (raw: string, decoded: string) => string,
): string {
  const parameters = query.parameters;
  if (parameters.length === 0) return '';
  const pairs: [name: string, value: string][] = [];
  for (const { name, value, rawName, rawValue } of parameters) {
    if (name !== except) pairs.push([encode(rawName, name), encode(rawValue, value)]);
  }
  if (pairs.length > 1) pairs.sort(byNameThenValue);
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

function byNameThenValue(a: readonly [string, string], b: readonly [string, string]): number {
  if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
  return a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0;
}

/**
 * Writes the string to sign.
 * @param time in the form yyyymmddThhmmssZ
 * @param canonical the canonical request
 */
export function stringToSign(time: string, scope: SigningScope, canonical: string): string {
  return `AWS4-HMAC-SHA256\n${time}\n${scopeText(scope)}\n${sha256Hex(canonical)}`;
}

/** Returns the signature of a string to sign: its HMAC-SHA256 in hex. */
export function signature(key: SigningKey, text: string): string {
  return key.sign(text);
}

/** Returns the SHA-256, in hex, of a text's latin1 bytes. */
export function sha256Hex(text: string): string {
  return hash('sha256', Buffer.from(text, 'latin1'), 'hex');
}
