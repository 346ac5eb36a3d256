import { createHash, createHmac } from 'node:crypto';
import type { WireRequest } from '../../../wire/message.ts';
import { percentEncode } from '../../../wire/percent.ts';
import type { SigningSecret } from '../../signing-secret.ts';
import type { SignatureFields } from './signature-fields.ts';

/* What is signed, and how (vendor documentation, "Request Signature", steps 2 to 6). */

/** One reading of what a client signed. */
export interface Signed {
  /** The decoded path, with its slash. It has no bucket, even where the request's path begins with one. */
  readonly path: string;
  /** The value of the header `host`. */
  readonly host: string;
}

/** Computes a signature in hex. The secret signs the time for which the key holds, and that signs the rest. */
export function signatureOf(stringToSign: string, keyTime: string, secret: SigningSecret): string {
  const key = createHmac('sha1', secret.reveal()).update(keyTime).digest('hex');
  return createHmac('sha1', key).update(stringToSign).digest('hex');
}

/** The text that is signed for a request, of which the client has listed what is signed. */
export function stringToSign(request: WireRequest, fields: SignatureFields, signed: Signed): string {
  const head = `${request.method.toLowerCase()}\n${signed.path}\n`;
  const text = `${head}${parametersOf(request, fields.parameters)}\n${headersOf(request, fields.headers, signed.host)}\n`;
  return `sha1\n${fields.signTime.text}\n${createHash('sha1').update(text, 'utf8').digest('hex')}\n`;
}

type Piece = readonly [name: string, value: string];

/**
 * The listed parameters, each with the values that the request has for it. One that is there twice makes two pieces, so
 * that an added one breaks the signature. One that is not there has an empty value.
 */
function parametersOf({ query }: WireRequest, listed: ReadonlySet<string>): string {
  if (listed.size === 0) return '';
  const pieces: Piece[] = [];
  const found = new Set<string>();
  for (const { name, value } of query.parameters) {
    const listedAs = listedName(name, listed);
    if (listedAs === undefined) continue;
    found.add(listedAs);
    pieces.push([encodedName(name), percentEncode(value)]);
  }
  for (const name of listed) if (!found.has(name)) pieces.push([name, '']);
  return joined(pieces);
}

/**
 * Returns the name under which a parameter is listed, or undefined where it is not. Lists have names encoded, and in
 * URLs some SDKs leave it at that, so that the name is decoded once more when the query is read.
 */
export function listedName(name: string, listed: ReadonlySet<string>): string | undefined {
  const encoded = encodedName(name);
  if (listed.has(encoded)) return encoded;
  const plain = name.toLowerCase();
  return listed.has(plain) ? plain : undefined;
}

/** A name as lists have it. */
export function encodedName(name: string): string {
  return percentEncode(name).toLowerCase();
}

/** The listed headers, as the request has them. */
function headersOf({ headers }: WireRequest, listed: ReadonlySet<string>, host: string): string {
  const pieces: Piece[] = [];
  const found = new Set<string>();
  headers.forEach((lower, value) => {
    const name = encodedName(lower);
    if (!listed.has(name)) return;
    found.add(name);
    pieces.push([name, encodeBytes(name === 'host' ? host : value)]);
  });
  for (const name of listed) if (!found.has(name)) pieces.push([name, '']);
  return joined(pieces);
}

function joined(pieces: Piece[]): string {
  pieces.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return pieces.map(([name, value]) => `${name}=${value}`).join('&');
}

/** Percent-encodes a header's value, whose characters are the bytes that were sent. */
function encodeBytes(value: string): string {
  return value
    .trim()
    .replace(
      /[^A-Za-z0-9\-._~]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    );
}
