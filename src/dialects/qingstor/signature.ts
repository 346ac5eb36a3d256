import { createHmac } from 'node:crypto';
import { clientError } from '../../errors.ts';
import { equalInConstantTime } from '../../wire/constant-time.ts';
import { parseHttpDate } from '../../wire/dates.ts';
import type { WireRequest } from '../../wire/message.ts';
import { percentDecode } from '../../wire/percent.ts';
import type { SignatureClaim } from '../front-dialect.ts';
import { plainBody } from '../plain-body.ts';
import type { SigningSecret } from '../signing-secret.ts';
import { DATE_HEADER, SIGNED_BY_JAVASCRIPT, SIGNED_SUBRESOURCES } from './vocabulary.ts';

/** How far the date of a request may be from the gateway's clock, either way. The vendor documents 15 minutes. */
const MAX_SKEW_SECONDS = 15 * 60;

const HEADER_FORM = /^QS ([^:\s]{1,128}):([A-Za-z0-9+/]{43}=)$/;

/**
 * Reads a request's QS signature, which is the base64 HMAC-SHA256 of method, Content-MD5, Content-Type, date, x-qs-*
 * headers and resource (vendor documentation, "Signature"). SDKs write the resource in different ways, so several are
 * tried. Each of them binds bucket, key and sub-resources.
 * @param host the bucket that the Host header names; undefined in path style
 * @returns undefined for an anonymous request
 * @throws GatewayError AuthorizationHeaderMalformed, AuthorizationQueryParametersError
 */
export function readQingstorClaim(request: WireRequest, host: string | undefined): SignatureClaim | undefined {
  const authorizations = request.headers.getAll('authorization');
  const inQuery = request.query.has('signature') || request.query.has('access_key_id');
  if (authorizations.length === 0 && !inQuery) return undefined;
  if (authorizations.length + (inQuery ? 1 : 0) > 1) {
    throw clientError('AuthorizationHeaderMalformed', 'The request carries more than one signature.');
  }
  return inQuery ? queryClaim(request, host) : headerClaim(request, host, authorizations[0] as string);
}

function headerClaim(request: WireRequest, host: string | undefined, authorization: string): SignatureClaim {
  const match = HEADER_FORM.exec(authorization);
  if (match === null) {
    throw clientError(
      'AuthorizationHeaderMalformed',
      'The Authorization header must read "QS access_key_id:signature".',
    );
  }
  const [, accessKeyId = '', signature = ''] = match;
  return {
    accessKeyId,
    verify(secret, now) {
      const override = request.headers.get(DATE_HEADER);
      refuseSkew(override ?? request.headers.get('date'), now);
      const date = override === undefined ? (request.headers.get('date') ?? '') : '';
      const contentTypes = new Set([request.headers.get('content-type') ?? '']);
      verifySignature(request, { date, contentTypes, signature, host }, secret);
      return plainBody(request);
    },
  };
}

function queryClaim(request: WireRequest, host: string | undefined): SignatureClaim {
  const accessKeyId = request.query.get('access_key_id');
  const expires = request.query.get('expires');
  const signature = request.query.get('signature');
  if (!accessKeyId || !signature || !expires || !/^\d{1,12}$/.test(expires)) {
    throw clientError(
      'AuthorizationQueryParametersError',
      'A signed URL needs access_key_id, expires (unix seconds) and signature.',
    );
  }
  return {
    accessKeyId,
    presigned: true,
    verify(secret, now) {
      // The vendor signs a URL with an empty Content-Type. Some SDKs sign the one that they send.
      const contentTypes = new Set(['', request.headers.get('content-type') ?? '']);
      verifySignature(
        request,
        { date: expires, contentTypes, signature: signature.replaceAll(' ', '+'), host },
        secret,
      );
      if (Number(expires) * 1000 <= now.getTime()) throw clientError('ExpiredRequest', 'The signed URL has expired.');
      return plainBody(request);
    },
  };
}

function refuseSkew(text: string | undefined, now: Date): void {
  const date = text === undefined ? undefined : parseHttpDate(text);
  if (date === undefined) {
    throw clientError('AccessDenied', 'A signed request needs a Date or x-qs-date header in RFC 1123 form.');
  }
  if (Math.abs(now.getTime() - date.getTime()) > MAX_SKEW_SECONDS * 1000) {
    throw clientError('RequestTimeTooSkewed', 'The request’s date is more than 15 minutes from the gateway’s clock.');
  }
}

export interface Signed {
  readonly date: string;
  readonly contentTypes: ReadonlySet<string>;
  readonly signature: string;
  /** The bucket that the Host header names; undefined in path style. */
  readonly host: string | undefined;
}

/** Verifies a signature, but not its time. @throws GatewayError SignatureDoesNotMatch */
export function verifySignature(request: WireRequest, signed: Signed, secret: SigningSecret): void {
  const md5 = request.headers.get('content-md5') ?? '';
  const headers = canonicalHeaders(request);
  for (const contentType of signed.contentTypes) {
    const head = `${request.method}\n${md5}\n${contentType}\n${signed.date}\n${headers}`;
    for (const resource of canonicalResources(request, signed.host)) {
      const computed = createHmac('sha256', secret.reveal())
        .update(head + resource, 'latin1')
        .digest('base64');
      if (equalInConstantTime(computed, signed.signature)) return;
    }
  }
  throw clientError(
    'SignatureDoesNotMatch',
    'The signature does not match the request. Check the secret access key, the date and that no proxy changes ' +
      'the path or the x-qs-* headers.',
  );
}

/**
 * Returns the x-qs-* headers as they are signed: all that were received, so that one added on the way breaks the
 * signature. They are sorted by name alone.
 */
function canonicalHeaders(request: WireRequest): string {
  const entries: [name: string, value: string][] = [];
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase();
    if (lower.startsWith('x-qs-')) entries.push([lower, value.trim()]);
  }
  entries.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return entries.map(([name, value]) => `${name}:${value}\n`).join('');
}

/**
 * Returns the ways in which SDKs write the resource, at most 12: path as sent or escaped as the Go SDK does, values
 * decoded or as sent, and two lists of sub-resources. In virtual-host style the bucket must stand before the path,
 * because the Host header is not signed. Otherwise a request that was signed for `/bucket/key` in path style could be
 * replayed as the key `bucket/key` of any other bucket.
 */
function canonicalResources(request: WireRequest, host: string | undefined): ReadonlySet<string> {
  const { rawPath } = request.target;
  const bucket = host === undefined ? '' : `/${host}`;
  const resources = new Set<string>();
  const paths = [bucket + rawPath, bucket + escapeAsGo(rawPath)];
  // The Go SDK signs the empty path that a URL of the service has where nothing follows the host.
  if (bucket === '' && rawPath === '/') paths.push('');
  for (const path of paths) {
    for (const list of [SIGNED_SUBRESOURCES, SIGNED_BY_JAVASCRIPT]) {
      resources.add(path + subresources(request, list, 'value'));
      resources.add(path + subresources(request, list, 'rawValue'));
    }
  }
  return resources;
}

function subresources(request: WireRequest, list: ReadonlySet<string>, value: 'value' | 'rawValue'): string {
  const pieces = request.query.parameters
    .filter((parameter) => list.has(parameter.name))
    .map((parameter) => (parameter.value === '' ? parameter.name : `${parameter.name}=${latin1(parameter[value])}`))
    .sort();
  return pieces.length === 0 ? '' : `?${pieces.join('&')}`;
}

/** Writes the UTF-8 bytes of a text as latin1 characters, because the string to sign is hashed as latin1. */
function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** Escapes a path as qingstor-sdk-go signs it: all but `A-Za-z0-9-_.~/=` of the decoded path as %XX in upper case. */
function escapeAsGo(rawPath: string): string {
  const bytes = Buffer.from(percentDecode(rawPath), 'utf8').toString('latin1');
  return bytes.replace(
    /[^A-Za-z0-9\-_.~/=]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
