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

/** Hashing costs 0.6 µs a KiB. So documents are signed with their body, and object bytes, which SX1 authenticates, are not. */
const HASH_UP_TO_BYTES = 256 * 1024;

/** The headers of a signature. A forwarded request may still have its client's, and a retried one its first attempt's. */
const SIGNATURE_HEADERS = ['authorization', 'host', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token'];

/** SigV4 in the header, over the host, content type and MD5, and every x-amz header. See BackendDialect.sign. */
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
    // Stores decode the path and encode it strictly. The paths that this dialect renders are in that form already.
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

/** The time of a signature. A busy gateway signs many requests a second with the same text, so the last one is kept. */
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
