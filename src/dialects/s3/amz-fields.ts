import { clientError } from '../../errors.ts';
import { headerValue } from '../../wire/header-value.ts';
import type { HeaderList } from '../../wire/headers.ts';
import type { WireRequest } from '../../wire/message.ts';
import { inQueryTwice, presignedHeaderNames } from './signature/presigned-headers.ts';

/**
 * The query parameters that make up the signature of a presigned URL. S3 requires exactly this upper and lower case.
 */
const SIGNATURE_PARAMETERS: ReadonlySet<string> = new Set([
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
  'X-Amz-Security-Token',
  'X-Amz-Content-Sha256',
]);

/** Whether a query parameter is x-amz-*: a part of the signature, or a header that a presigner put into the query. */
export function isAmzParameter(name: string): boolean {
  return name.length > 6 && name.slice(0, 6).toLowerCase() === 'x-amz-';
}

/**
 * Returns the request's headers, together with those that a presigned URL has in its query. The AWS SDK for JavaScript
 * puts ACL, metadata, storage class and others there (presigned-headers.ts). They count for the request's head and for
 * its signature. The body is verified by the real headers and Content-MD5 alone (bodyHeaders): an SDK that presigns a
 * PUT writes `x-amz-checksum-crc32=AAAAAA==` into the URL, which is the checksum of an empty body.
 * @throws GatewayError InvalidArgument where header and query disagree, and for a parameter whose name cannot be that
 *   of a header: with a line end in its name, one header would read like two in the string to sign
 */
export function effectiveHeaders(request: WireRequest): HeaderList {
  if (request.target.rawQuery === '') return request.headers;
  const { parameters } = request.query;
  const others = presignedHeaderNames(request.query);
  let merged: HeaderList | undefined;
  for (const { name, value } of parameters) {
    const isOther = others.has(name.toLowerCase());
    if ((!isOther && !isAmzParameter(name)) || SIGNATURE_PARAMETERS.has(name)) continue;
    if (!TOKEN.test(name)) {
      throw clientError('InvalidArgument', 'A query parameter that begins with x-amz- must have the name of a header.');
    }
    const wireValue = headerValue(name, value);
    const present = request.headers.get(name);
    if (isOther && present === undefined && merged?.has(name) === true) throw inQueryTwice(name);
    // Clients send the type of the file that they upload, even if the URL was signed for another; S3 takes the header.
    if (present !== undefined && present !== wireValue && name.toLowerCase() !== 'content-type') {
      throw clientError(
        'InvalidArgument',
        `${name.toLowerCase()} in the query disagrees with the header of that name.`,
      );
    }
    merged ??= request.headers.clone();
    if (present === undefined) merged.append(name, wireValue);
  }
  return merged ?? request.headers;
}

/** Returns the headers by which a body is verified: the real ones, and the Content-MD5 of a presigned URL. */
export function bodyHeaders(request: WireRequest): HeaderList {
  if (request.target.rawQuery === '' || request.headers.has('content-md5')) return request.headers;
  const md5 = effectiveHeaders(request).get('content-md5');
  return md5 === undefined ? request.headers : request.headers.clone().append('content-md5', md5);
}

/** Matches the name of a header (`token` in RFC 9110 §5.6.2). */
export const TOKEN = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;
