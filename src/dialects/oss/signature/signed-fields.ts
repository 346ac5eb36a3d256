import { clientError, type GatewayError } from '../../../errors.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { WireRequest } from '../../../wire/message.ts';

/** Bucket and key as one reading of a request has them, '' where it names none. Every signature of OSS covers both. */
export interface SignedPlace {
  readonly bucket: string;
  readonly key: string;
}

/** How far the date of a request may be from the gateway's clock, either way (vendor documentation). */
export const MAX_SKEW_MILLISECONDS = 15 * 60 * 1000;

/** Writes the UTF-8 bytes of a text as latin1 characters, which headers are held in and which are hashed as latin1. */
export function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The path that is signed: with the bucket, whether it stands in the path, in the host, or nowhere in the request. */
export function signedPath({ bucket, key }: SignedPlace): string {
  return bucket === '' ? '/' : `/${bucket}/${key}`;
}

/**
 * Returns the lines of the headers that are signed, sorted by name: all that begin with `x-oss-` as they were
 * received, so that one which was added on the way breaks the signature, and those that `also` names and that are
 * there.
 */
export function signedHeaders(headers: HeaderList, also: ReadonlySet<string>): string {
  const values = new Map<string, string>();
  headers.forEach((name, value) => {
    if (!name.startsWith('x-oss-') && !also.has(name)) return;
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? value.trim() : `${earlier},${value.trim()}`);
  });
  const names = [...values.keys()].sort();
  return names.map((name) => `${name}:${values.get(name)}\n`).join('');
}

/**
 * Returns the value of a query parameter that must be there once, and not be empty.
 * @throws GatewayError AuthorizationQueryParametersError
 */
export function neededParameter({ query }: WireRequest, name: string): string {
  const [value = '', ...more] = query.getAll(name);
  if (value !== '' && more.length === 0) return value;
  throw malformedQuery(`${name} must be there once`);
}

/** The error for an Authorization header that cannot be read. */
export function malformedHeader(expected: string): GatewayError {
  return clientError('AuthorizationHeaderMalformed', `The Authorization header is malformed: ${expected}.`);
}

/** The error for a signed URL that cannot be read. */
export function malformedQuery(expected: string): GatewayError {
  return clientError('AuthorizationQueryParametersError', `The signed URL is malformed: ${expected}.`);
}

export function noMatch(): GatewayError {
  return clientError(
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the signature you provided. Check your key and signing method, ' +
      'and that the endpoint names the bucket as your SDK believes (docs/oss.md).',
  );
}

/**
 * Refuses a request that was signed too long ago, or whose date lies ahead.
 * @throws GatewayError RequestTimeTooSkewed
 */
export function refuseSkew(signedAt: Date, now: Date): void {
  if (Math.abs(now.getTime() - signedAt.getTime()) <= MAX_SKEW_MILLISECONDS) return;
  throw clientError(
    'RequestTimeTooSkewed',
    'The difference between the request time and the current time is too large: at most 15 minutes are allowed.',
  );
}

/** Refuses a URL whose time is over. @throws GatewayError ExpiredRequest */
export function refuseExpired(expiresAt: number, now: Date): void {
  if (now.getTime() <= expiresAt) return;
  throw clientError('ExpiredRequest', 'Request has expired.');
}
