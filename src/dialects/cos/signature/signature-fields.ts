import { clientError, type GatewayError } from '../../../errors.ts';
import type { WireRequest } from '../../../wire/message.ts';

/* The seven fields of a COS signature, wherever they stand (vendor documentation, "Request Signature"). */

const NAMES = [
  'q-sign-algorithm',
  'q-ak',
  'q-sign-time',
  'q-key-time',
  'q-header-list',
  'q-url-param-list',
  'q-signature',
] as const;

export type FieldName = (typeof NAMES)[number];

/** The query parameters of a signed URL. */
export const SIGNATURE_PARAMETERS: ReadonlySet<string> = new Set(NAMES);

/** The older form of a signed URL has all fields in this one parameter. */
export const LEGACY_PARAMETER = 'sign';

/** From when to when something holds, in seconds since 1970. */
export interface Window {
  readonly text: string;
  readonly from: number;
  readonly until: number;
}

/** A signature that was read, and not verified yet. */
export interface SignatureFields {
  readonly accessKeyId: string;
  readonly signTime: Window;
  readonly keyTime: Window;
  /** The names of the signed headers, as the client lists them: percent-encoded, in lower case. */
  readonly headers: ReadonlySet<string>;
  /** The names of the signed query parameters, as the client lists them in lower case. */
  readonly parameters: ReadonlySet<string>;
  readonly signature: string;
}

/** The most names that a list may have: every one costs time before the client is known. */
const MAX_NAMES = 600;

/** Whether an Authorization header has a signature of COS. Its fields may stand in any order. */
export function isCosAuthorization(authorization: string): boolean {
  return /(?:^|&)q-(?:sign-algorithm|signature)=/.test(authorization);
}

/** Whether a query has a signature of COS, in either form. */
export function isSignedInQuery({ target }: WireRequest): boolean {
  return target.rawQuery !== '' && /(?:^|&)(?:q-signature=|q-sign-algorithm=|sign=q-)/.test(target.rawQuery);
}

/**
 * Reads the fields of an Authorization header, or of the parameter `sign`: `name=value` pieces, joined by `&`.
 * @throws GatewayError AuthorizationHeaderMalformed
 */
export function fieldsInText(text: string): SignatureFields {
  const values = new Map<string, string>();
  for (const piece of text.split('&')) {
    const equals = piece.indexOf('=');
    const name = piece.slice(0, equals).trim();
    if (equals < 1 || values.has(name)) throw malformed('each of its fields has a name and a value, once');
    values.set(name, piece.slice(equals + 1).trim());
  }
  return readFields((name) => values.get(name));
}

/** Reads the fields of a signed URL. @throws GatewayError AuthorizationHeaderMalformed */
export function fieldsInQuery({ query }: WireRequest): SignatureFields {
  return readFields((name) => {
    const [value, ...more] = query.getAll(name);
    if (more.length > 0) throw malformed(`${name} is there twice`);
    return value;
  });
}

/** @throws GatewayError AuthorizationHeaderMalformed */
function readFields(find: (name: FieldName) => string | undefined): SignatureFields {
  const needed = (name: FieldName) => {
    const value = find(name);
    if (value === undefined || value === '') throw malformed(`it needs ${name}`);
    return value;
  };
  if (needed('q-sign-algorithm') !== 'sha1') throw malformed('q-sign-algorithm must be sha1');
  const signature = needed('q-signature').toLowerCase();
  if (!/^[0-9a-f]{40}$/.test(signature)) throw malformed('q-signature must be 40 hex digits');
  const accessKeyId = needed('q-ak');
  if (accessKeyId.length > 128) throw malformed('q-ak is too long');
  return {
    accessKeyId,
    signTime: readWindow('q-sign-time', needed('q-sign-time')),
    keyTime: readWindow('q-key-time', needed('q-key-time')),
    headers: readList(find('q-header-list')),
    parameters: readList(find('q-url-param-list')),
    signature,
  };
}

const WINDOW = /^(\d{1,11});(\d{1,11})$/;

/** @throws GatewayError AuthorizationHeaderMalformed */
export function readWindow(name: string, text: string): Window {
  const match = WINDOW.exec(text);
  const [from, until] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || from > until) throw malformed(`${name} must be two times in seconds, begin;end`);
  return { text, from, until };
}

function readList(text: string | undefined): ReadonlySet<string> {
  if (text === undefined || text === '') return new Set();
  const names = text.toLowerCase().split(';');
  if (names.length > MAX_NAMES) throw malformed(`a list has ${MAX_NAMES} names at most`);
  return new Set(names.map((name) => name.trim()).filter((name) => name !== ''));
}

/** The error for a signature that cannot be read. */
export function malformed(expected: string): GatewayError {
  return clientError('AuthorizationHeaderMalformed', `The signature of the request is malformed: ${expected}.`);
}
