import { clientError } from '../../errors.ts';
import { headerValue } from '../../wire/header-value.ts';
import type { HeaderList } from '../../wire/headers.ts';
import type { WireRequest } from '../../wire/message.ts';
import { inQueryTwice, presignedHeaderNames } from './signature/presigned-headers.ts';

/** The parameters of a presigned URL that carry its signature. S3 spells them in exactly this case. */
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

/** x-amz-* in the query: part of the signature, or a header that a presigner hoisted there. */
export function isAmzParameter(name: string): boolean {
  return name.length > 6 && name.slice(0, 6).toLowerCase() === 'x-amz-';
}

/**
 * The request's headers with those that presigned URLs state in the query (the AWS SDK for JavaScript hoists ACL,
 * metadata, storage class …; see presigned-headers.ts). For head and signature; of the body only Content-MD5 counts: a body is verified against what came in real headers, because a
 * presigned PUT's x-amz-checksum-crc32=AAAAAA== is the checksum of the empty body at presign time.
 * @throws GatewayError InvalidArgument where header and query disagree, and for a name that is none of a header: with
 *   line ends in it, one field would read like several, in Signature Version 2's string to sign above all
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
    // Uploaders send the type of their file whatever the URL says, and S3 goes by what they send.
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

/** The headers by which a body is verified: the real ones, and a Content-MD5 that a presigned URL states. */
export function bodyHeaders(request: WireRequest): HeaderList {
  if (request.target.rawQuery === '' || request.headers.has('content-md5')) return request.headers;
  const md5 = effectiveHeaders(request).get('content-md5');
  return md5 === undefined ? request.headers : request.headers.clone().append('content-md5', md5);
}

/** RFC 9110 §5.6.2: what may name a header. */
export const TOKEN = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;
