import { createHash } from 'node:crypto';
import type { Forward } from '../../operations/operation.ts';
import { HeaderList } from '../../wire/headers.ts';
import type { OutgoingRequest, WireRequest } from '../../wire/message.ts';
import { percentEncode, percentEncodePath } from '../../wire/percent.ts';
import type { QueryList } from '../../wire/query.ts';

/** The client's signature, its payload framing and what it said of the connection: all redone or gone. */
const DROPPED_HEADERS = new Set([
  'accept-encoding', // an error document must come as it is, to be read
  'authorization',
  'connection',
  'content-length',
  'content-md5',
  'date',
  'expect',
  'forwarded',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-decoded-content-length',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-security-token',
  'x-amz-trailer',
  'x-real-ip',
]);

/**
 * x-amz-copy-source would turn a forwarded request into a copy of object bytes; x-minio-* asks for what the allow-list
 * does not know (x-minio-force-delete empties a bucket); x-forwarded-* is what backends' address policies believe.
 */
const DROPPED_PREFIXES = ['x-amz-checksum-', 'x-amz-copy-source', 'x-amz-meta-', 'x-forwarded-', 'x-minio-'];

/** Of presigned URLs (docs: sigv4-query-string-auth); the checksum is of the empty body it was presigned with. */
const DROPPED_PARAMETERS = new Set([
  'awsaccesskeyid',
  'content-md5',
  'content-type',
  'expires',
  'signature',
  'x-amz-algorithm',
  'x-amz-content-sha256',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-security-token',
  'x-amz-signature',
  'x-amz-signedheaders',
]);

/** See BackDialect.forward. */
export function forward(request: WireRequest, operation: Forward, document: Buffer): OutgoingRequest {
  const { bucket, key } = operation;
  const path = `/${percentEncode(bucket)}${key === undefined ? '' : `/${percentEncodePath(key)}`}`;
  const query = forwardedQuery(request.query);
  const headers = new HeaderList();
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase();
    if (DROPPED_HEADERS.has(lower) || DROPPED_PREFIXES.some((prefix) => lower.startsWith(prefix))) continue;
    const kept = lower === 'content-encoding' ? withoutAwsChunked(value) : value;
    if (kept !== '') headers.append(name, kept);
  }
  const body = document.length === 0 ? undefined : document;
  // Some settings demand it, and the client may have sent a checksum of its own framing instead.
  if (body !== undefined) headers.append('content-md5', createHash('md5').update(body).digest('base64'));
  return {
    method: request.method,
    path: query === '' ? path : `${path}?${query}`,
    headers,
    body,
    idempotent: request.method !== 'POST',
  };
}

/** Encoded anew, so that the backend reads the very names and values that the allow-list was asked about. */
function forwardedQuery(query: QueryList): string {
  const pairs: string[] = [];
  for (const { name, value, hasEquals } of query.parameters) {
    const lower = name.toLowerCase();
    if (DROPPED_PARAMETERS.has(lower) || DROPPED_PREFIXES.some((prefix) => lower.startsWith(prefix))) continue;
    pairs.push(hasEquals ? `${percentEncode(name)}=${percentEncode(value)}` : percentEncode(name));
  }
  return pairs.join('&');
}

function withoutAwsChunked(value: string): string {
  const codings = value.split(',').map((coding) => coding.trim());
  return codings.filter((coding) => coding.toLowerCase() !== 'aws-chunked').join(',');
}
