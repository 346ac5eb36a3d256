import { clientError } from '../../../errors.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { QueryList } from '../../../wire/query.ts';
import { CONTENT_HEADERS } from '../../object-metadata.ts';

/**
 * Headers that a presigned URL states in its query, beside those of `x-amz-*`: the AWS SDK for JavaScript 2 writes
 * Content-Type, Content-MD5 and Cache-Control there, and lists what it signed in X-Amz-SignedHeaders. Whoever has the URL
 * need not send them again. What counts so is always signed: in Version 4 with the query, in Version 2 by the lines
 * that its string to sign has for Content-MD5 and Content-Type.
 */

/** Not Expires: a presigned URL of Version 2 has a parameter of that name, which says how long it is valid. */
const ABOUT_CONTENT = [...CONTENT_HEADERS.map(([name]) => name).filter((name) => name !== 'expires'), 'content-md5'];

const SIGNED_BY_VERSION_2: ReadonlySet<string> = new Set(['content-md5', 'content-type']);

/** What says who speaks to whom, and where a body ends, is taken from the wire alone. */
const OF_THE_WIRE: ReadonlySet<string> = new Set([
  ...['authorization', 'connection', 'content-length', 'expect', 'host', 'keep-alive', 'te', 'trailer'],
  ...['transfer-encoding', 'upgrade'],
]);

const NONE: ReadonlySet<string> = new Set();

/** In lower case, the names that stand for headers when they are in this query. */
export function presignedHeaderNames(query: QueryList): ReadonlySet<string> {
  if (query.has('AWSAccessKeyId')) return SIGNED_BY_VERSION_2;
  const listed = query.get('X-Amz-SignedHeaders');
  if (listed === undefined || !query.has('X-Amz-Signature')) return NONE;
  return new Set([...ABOUT_CONTENT, ...listed.split(';').filter((name) => !OF_THE_WIRE.has(name))]);
}

/**
 * What proxies take away because it says nothing, and what it must have said: a body that is not there has no bytes,
 * and there is one expectation (RFC 9110 §10.1.1). Another value has no place here: it would be believed unseen.
 */
const TAKEN_AWAY: Readonly<Record<string, (headers: HeaderList) => string | undefined>> = {
  'content-length': (headers) => (headers.has('transfer-encoding') ? undefined : '0'),
  expect: () => '100-continue',
};

/**
 * The headers under which a signature is looked for: those that count, a signed one that stands in a presigned query
 * alone, and signed ones that a proxy took away.
 * @param headers with those that a presigned URL states in its query
 * @throws GatewayError InvalidArgument for a signed header that is in the query twice
 */
export function signedView(headers: HeaderList, query: QueryList, signedHeaders: readonly string[]): HeaderList {
  let view: HeaderList | undefined;
  for (const name of signedHeaders) {
    if (headers.has(name)) continue;
    const value = TAKEN_AWAY[name]?.(headers) ?? soleValue(query, name);
    if (value === undefined) continue;
    view ??= headers.clone();
    view.append(name, value);
  }
  return view ?? headers;
}

/** Of the parameters that carry the signature itself, which are headers too where a request is not presigned. */
function soleValue({ parameters }: QueryList, name: string): string | undefined {
  if (!name.startsWith('x-amz-')) return undefined;
  const values = parameters.filter((parameter) => parameter.name.toLowerCase() === name);
  if (values.length > 1) throw inQueryTwice(name);
  return values[0]?.value;
}

export function inQueryTwice(name: string): Error {
  return clientError('InvalidArgument', `${name.slice(0, 64)} is in the query twice.`);
}
