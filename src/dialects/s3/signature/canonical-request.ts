import { hash } from 'node:crypto';
import type { HeaderList } from '../../../wire/headers.ts';
import { percentDecode, percentEncode, percentEncodePath } from '../../../wire/percent.ts';
import type { QueryList } from '../../../wire/query.ts';
import { type SigningKey, type SigningScope, scopeText } from './signing-key.ts';

/**
 * SigV4's canonical request and string to sign (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth),
 * used to verify clients and to sign for backends. Strings are latin1, a character a byte, as header values are.
 */

/** The hex SHA-256 of nothing. */
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';

export interface CanonicalParts {
  readonly method: string;
  /** From canonicalPaths, or the path that will be sent. */
  readonly path: string;
  readonly query: string;
  readonly headers: HeaderList;
  /** Lower case, sorted, unique. */
  readonly signedHeaders: readonly string[];
  /** `x-amz-content-sha256`: hex, UNSIGNED-PAYLOAD, or a STREAMING word. */
  readonly payloadHash: string;
}

export function canonicalRequest(parts: CanonicalParts): string {
  let text = `${parts.method}\n${parts.path}\n${parts.query}\n`;
  for (const name of parts.signedHeaders) text += `${name}:${canonicalValue(parts.headers, name)}\n`;
  return `${text}\n${parts.signedHeaders.join(';')}\n${parts.payloadHash}`;
}

/** Repeated fields are joined by a comma; outer blanks go, runs of blanks become one. */
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
 * The canonical URIs under which a client may have signed this path: as sent, and decoded then re-encoded (a client
 * that sends `(` raw signs `%28`). S3 never normalises `.`, `..` or `//`. Both readings name the same object, because
 * the object's key is the decoded path.
 */
export function canonicalPaths(rawPath: string): readonly string[] {
  if (ALREADY_CANONICAL.test(rawPath)) return [rawPath];
  const reencoded = percentEncodePath(percentDecode(rawPath));
  return reencoded === rawPath ? [rawPath] : [rawPath, reencoded];
}

/**
 * The canonical queries under which a client may have signed this one. A blank that is sent as a plus is signed as %20,
 * or as the plus that was sent: both mean a blank. Signed as %2B it was none.
 * @param except the parameter that carries the signature
 */
export function canonicalQueries(query: QueryList, except?: string): readonly string[] {
  const canonical = canonicalQuery(query, except);
  const plus = query.parameters.some(({ rawName, rawValue }) => rawName.includes('+') || rawValue.includes('+'));
  return plus ? [canonical, joinSorted(query, except, encodeKeepingPlus)] : [canonical];
}

/** Decoded, re-encoded strictly, sorted by name, then value. */
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

/** @param time yyyymmddThhmmssZ */
export function stringToSign(time: string, scope: SigningScope, canonical: string): string {
  return `AWS4-HMAC-SHA256\n${time}\n${scopeText(scope)}\n${sha256Hex(canonical)}`;
}

/** Hex HMAC-SHA256 of a string to sign. */
export function signature(key: SigningKey, text: string): string {
  return key.sign(text);
}

export function sha256Hex(text: string): string {
  return hash('sha256', Buffer.from(text, 'latin1'), 'hex');
}
