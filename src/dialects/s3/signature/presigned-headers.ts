import { clientError } from '../../../errors.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { QueryList } from '../../../wire/query.ts';
import { CONTENT_HEADERS } from '../../object-metadata.ts';

/*
 * Finds headers that a presigned URL has in its query, other than x-amz-* headers. The AWS SDK for JavaScript 2 puts
 * Content-Type, Content-MD5 and Cache-Control there, and lists them in X-Amz-SignedHeaders; clients of the URL need not
 * send them. All of them are signed: by Version 4 with the query, by Version 2 in the lines of its string to sign for
 * Content-MD5 and Content-Type.
 */

/**
 * The content headers that a query may have. Expires is not among them, because in a presigned URL of Version 2 the
 * parameter of that name says how long the URL is valid.
 */
const ABOUT_CONTENT = [...CONTENT_HEADERS.map(([name]) => name).filter((name) => name !== 'expires'), 'content-md5'];

const SIGNED_BY_VERSION_2: ReadonlySet<string> = new Set(['content-md5', 'content-type']);

/** Headers that count only where they are really sent, because they are about the connection or the body's framing. */
const OF_THE_WIRE: ReadonlySet<string> = new Set([
  ...['authorization', 'connection', 'content-length', 'expect', 'host', 'keep-alive', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
]);

const NONE: ReadonlySet<string> = new Set();

/** Returns the names, in lower case, of the query parameters that count as headers, other than x-amz-* ones. */
export function presignedHeaderNames(query: QueryList): ReadonlySet<string> {
  if (query.has('AWSAccessKeyId')) return SIGNED_BY_VERSION_2;
  const listed = query.get('X-Amz-SignedHeaders');
  if (listed === undefined || !query.has('X-Amz-Signature')) return NONE;
  return new Set([...ABOUT_CONTENT, ...listed.split(';').filter((name) => !OF_THE_WIRE.has(name))]);
}

/**
 * Headers that proxies remove because they say nothing, and the only value that each can have had: an absent body has 0
 * bytes, and HTTP has one expectation (RFC 9110 §10.1.1). A header with other possible values must not stand here,
 * because the gateway would assume a value that it did not see.
 */
const REMOVED_BY_PROXIES: Readonly<Record<string, (headers: HeaderList) => string | undefined>> = {
  'content-length': (headers) => (headers.has('transfer-encoding') ? undefined : '0'),
  expect: () => '100-continue',
};

/**
 * Returns the headers with which a signature is verified: those of the request, and signed ones that only the query has
 * or that a proxy has removed.
 * @param headers the request's headers, and those that a presigned URL has in its query
 * @param signedHeaders names in lower case
 * @throws GatewayError InvalidArgument for a signed header that is in the query twice
 */
export function signedView(headers: HeaderList, query: QueryList, signedHeaders: readonly string[]): HeaderList {
  let view: HeaderList | undefined;
  for (const name of signedHeaders) {
    if (headers.has(name)) continue;
    const value = REMOVED_BY_PROXIES[name]?.(headers) ?? soleValue(query, name);
    if (value === undefined) continue;
    view ??= headers.clone();
    view.append(name, value);
  }
  return view ?? headers;
}

/** Returns the value of an x-amz-* parameter of the signature itself, which has the name of a header (X-Amz-Date). */
function soleValue({ parameters }: QueryList, name: string): string | undefined {
  if (!name.startsWith('x-amz-')) return undefined;
  const values = parameters.filter((parameter) => parameter.name.toLowerCase() === name);
  if (values.length > 1) throw inQueryTwice(name);
  return values[0]?.value;
}

/** The error for a header that a presigned URL has in its query twice. */
export function inQueryTwice(name: string): Error {
  return clientError('InvalidArgument', `${name.slice(0, 64)} is in the query twice.`);
}
