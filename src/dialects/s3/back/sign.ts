import { hash } from 'node:crypto';
import { formatBasicIsoDate } from '../../../wire/dates.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { OutgoingRequest } from '../../../wire/message.ts';
import { QueryList } from '../../../wire/query.ts';
import type { BackendCredentials } from '../../backend-dialect.ts';
import {
  canonicalPaths,
  canonicalQuery,
  canonicalRequest,
  EMPTY_SHA256,
  signature,
  stringToSign,
  UNSIGNED_PAYLOAD,
} from '../signature/canonical-request.ts';
import { signingKey } from '../signature/signing-key.ts';
import { STREAMING_UNSIGNED_TRAILER } from './checksum-headers.ts';

/**
 * The greatest body whose hash is signed. Hashing costs 0.6 µs per KiB, so a larger body, or one that is a stream, is
 * sent as UNSIGNED-PAYLOAD: it has an object's bytes, which SX1 authenticates.
 */
const HASH_UP_TO_BYTES = 256 * 1024;

/**
 * The headers that signing sets. A forwarded request may still have its client's, and a retried one the earlier ones.
 */
const SIGNATURE_HEADERS = ['authorization', 'host', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token'];

/**
 * Implements BackendDialect.sign with AWS Signature Version 4 in the Authorization header. Host, Content-Type,
 * Content-MD5 and all x-amz headers are signed.
 */
export function sign(
  request: OutgoingRequest,
  credentials: BackendCredentials | undefined,
  host: string,
  now: Date,
): void {
  const headers = request.headers;
  for (const name of SIGNATURE_HEADERS) if (headers.has(name)) headers.delete(name);
  if (credentials === undefined) {
    headers.append('host', host);
    return;
  }
  const time = timeText(now);
  const payloadHash = headers.has('x-amz-trailer') ? STREAMING_UNSIGNED_TRAILER : payloadHashOf(request.body);
  headers.append('host', host).append('x-amz-date', time).append('x-amz-content-sha256', payloadHash);
  const scope = { date: time.slice(0, 8), region: credentials.region, service: 's3' };
  const signedHeaders = signedHeaderNames(headers);
  const mark = request.path.indexOf('?');
  const canonical = canonicalRequest({
    method: request.method,
    // Stores verify the path after decoding and strictly encoding it. Rendered paths are in that form already.
    path: canonicalPaths(mark === -1 ? request.path : request.path.slice(0, mark)).at(-1) as string,
    query: mark === -1 ? '' : canonicalQuery(new QueryList(request.path.slice(mark + 1))),
    headers,
    signedHeaders,
    payloadHash,
  });
  const proof = signature(signingKey(credentials.secret, scope), stringToSign(time, scope, canonical));
  headers.append(
    'authorization',
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope.date}/${scope.region}/s3/aws4_request,` +
      `SignedHeaders=${signedHeaders.join(';')},Signature=${proof}`,
  );
}

let lastSecond = 0;
let lastText = '';

/** Returns the time of a signature as text. A busy gateway signs many requests within a second, so the text is kept. */
function timeText(now: Date): string {
  const second = Math.floor(now.getTime() / 1_000);
  if (second !== lastSecond) {
    lastText = formatBasicIsoDate(now);
    lastSecond = second;
  }
  return lastText;
}

function payloadHashOf(body: OutgoingRequest['body']): string {
  if (body === undefined) return EMPTY_SHA256;
  if (!Buffer.isBuffer(body) || body.length > HASH_UP_TO_BYTES) return UNSIGNED_PAYLOAD;
  return hash('sha256', body, 'hex');
}

function signedHeaderNames(headers: HeaderList): string[] {
  const names: string[] = [];
  headers.forEach((name) => {
    if (name.startsWith('x-amz-') || name === 'host' || name === 'content-type' || name === 'content-md5') {
      if (!names.includes(name)) names.push(name);
    }
  });
  return names.sort();
}
