import { clientError } from '../errors.ts';
import type { ContentHeaders, MetadataEntry } from '../operations/object.ts';
import type { HeaderList } from '../wire/headers.ts';
import type { Vocabulary } from './vocabulary.ts';

/*
 * Reads the metadata that a client stores with an object: user metadata and content headers. Every dialect reads them
 * alike.
 */

/**
 * The gateway keeps entries of its own in user metadata, under names with this prefix. Clients cannot see or send them.
 */
const RESERVED_PREFIX = 'sx1';

/**
 * A PUT with this entry of user metadata, and a value that contains `true`, makes MinIO unpack the body as an archive.
 */
const UNPACKS = 'snowball-auto-extract';

/**
 * Reads the user metadata of a request. Names are in lower case, without the vendor's prefix.
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
      `${prefix}${UNPACKS} asks a store to unpack the body, which it cannot read here. ` +
        'Send the archive without it, or its files one by one.',
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
  // A repeated header is one header whose values are joined by a comma (RFC 9110 §5.3). Clients sign it so, too.
  if (earlier === undefined) user.push([name, value]);
  else earlier[1] = `${earlier[1]},${value}`;
}

/**
 * The content headers that a store keeps with an object as they are (RFC 9110 §8), in lower case, each with its field.
 */
export const CONTENT_HEADERS: readonly (readonly [name: string, field: keyof ContentHeaders])[] = [
  ['content-type', 'contentType'],
  ['content-language', 'contentLanguage'],
  ['expires', 'expires'],
  ['cache-control', 'cacheControl'],
  ['content-disposition', 'contentDisposition'],
  ['content-encoding', 'contentEncoding'],
];

/**
 * Reads the content headers of a request.
 * @throws GatewayError InvalidArgument for a header that comes with two values although it takes one
 */
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

/** Returns the value of a header that takes one value. @throws GatewayError InvalidArgument where it comes with two */
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
  // Empty elements of a list mean nothing (RFC 9110 §5.6.1), and HTTP does not carry a blank at the end of a value.
  return values.length < 2 ? values[0] : values.filter((value) => value !== '').join(', ');
}
