import { clientError } from '../errors.ts';
import type { ContentHeaders, MetadataEntry } from '../operations/object.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Every dialect reads these headers alike, which a client stores beside an object's bytes. */

/** The gateway keeps what it needs in user metadata under names with this prefix. Clients neither see nor send them. */
const RESERVED_PREFIX = 'sx1';

/** Where this metadata's value contains `true`, MinIO unpacks the body of the PUT and stores the files in it. */
const UNPACKS = 'snowball-auto-extract';

/**
 * @throws GatewayError InvalidArgument (no name, or a reserved one), NotImplemented (an archive to be unpacked)
 */
export function userMetadata(
  headers: HeaderList,
  { metadataPrefix: prefix }: Pick<Vocabulary, 'metadataPrefix'>,
): MetadataEntry[] {
  const user: [name: string, value: string][] = [];
  headers.forEach((lower, value) => {
    if (lower.startsWith(prefix)) addMetadata(user, lower.slice(prefix.length), value, prefix);
  });
  if (user.some(([name, value]) => name === UNPACKS && /true/i.test(value))) {
    throw clientError(
      'NotImplemented',
      `${prefix}${UNPACKS} asks a store to unpack the body, which it cannot read here. Send the archive without it, or its files one by one.`,
    );
  }
  return user;
}

function addMetadata(user: [name: string, value: string][], name: string, value: string, prefix: string): void {
  if (name === '') throw clientError('InvalidArgument', `A user metadata header needs a name after ${prefix}.`);
  if (name.startsWith(RESERVED_PREFIX)) {
    throw clientError(
      'InvalidArgument',
      `User metadata names that begin with ${RESERVED_PREFIX} are the gateway’s own.`,
    );
  }
  const earlier = user.find((entry) => entry[0] === name);
  // A repeated field is one field with its values joined by a comma (RFC 9110 §5.3); it was signed that way too.
  if (earlier === undefined) user.push([name, value]);
  else earlier[1] = `${earlier[1]},${value}`;
}

/** The headers that a store keeps with an object as they are (RFC 9110 representation headers), in lower case. */
export const CONTENT_HEADERS: readonly (readonly [name: string, field: keyof ContentHeaders])[] = [
  ['content-type', 'contentType'],
  ['content-language', 'contentLanguage'],
  ['expires', 'expires'],
  ['cache-control', 'cacheControl'],
  ['content-disposition', 'contentDisposition'],
  ['content-encoding', 'contentEncoding'],
];

/** @throws GatewayError InvalidArgument for a header that may be there once, and is there with two values */
export function contentHeaders(headers: HeaderList): ContentHeaders {
  return {
    contentType: singleHeader(headers, 'content-type'),
    cacheControl: joined(headers, 'cache-control'),
    contentDisposition: singleHeader(headers, 'content-disposition'),
    contentEncoding: joined(headers, 'content-encoding'),
    contentLanguage: joined(headers, 'content-language'),
    expires: singleHeader(headers, 'expires'),
  };
}

/** @throws GatewayError InvalidArgument where it is there with two values */
export function singleHeader(headers: HeaderList, name: string): string | undefined {
  const [first, ...more] = headers.getAll(name);
  if (more.some((value) => value !== first)) {
    throw clientError(
      'InvalidArgument',
      `The header ${name} is there with two values, and may have one: send it once.`,
    );
  }
  return first;
}

function joined(headers: HeaderList, name: string): string | undefined {
  const values = headers.getAll(name);
  // Empty elements of a list mean nothing (RFC 9110 §5.6.1), and a blank at the end would not come back.
  return values.length < 2 ? values[0] : values.filter((value) => value !== '').join(', ');
}
