import { createHash } from 'node:crypto';
import { clientError } from '../errors.ts';
import { collect } from '../wire/bodies/collect.ts';
import type { ByteSource, WireRequest } from '../wire/message.ts';

const HEX_SHA256 = /^[0-9a-f]{64}$/;
const MD5_BYTES = 16;

/**
 * The body, checked as it ends: the hex x-amz-content-sha256 and the Content-MD5, where given. x-amz-checksum-* is
 * not looked at: the gateway sends none.
 * @throws GatewayError MissingContentLength, InvalidDigest, NotImplemented (aws-chunked) at once; BadDigest,
 *   XAmzContentSHA256Mismatch when the bytes have ended
 */
export function verifiedBody({ headers, body }: WireRequest): ByteSource {
  const payload = headers.get('x-amz-content-sha256');
  if (payload?.startsWith('STREAMING-')) {
    throw clientError(
      'NotImplemented',
      'The embedded store takes UNSIGNED-PAYLOAD or a SHA-256 in hex, no chunked body.',
    );
  }
  if (!headers.has('content-length')) {
    throw clientError('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  const sha256 = payload !== undefined && HEX_SHA256.test(payload) ? payload : undefined;
  const md5 = readContentMd5(headers.get('content-md5'));
  return sha256 === undefined && md5 === undefined ? body : checked(body, { sha256, md5 });
}

/** A small document, checked the same way; absent is empty. */
export async function readDocument(request: WireRequest, maxBytes: number): Promise<Buffer> {
  if (!request.headers.has('content-length')) return Buffer.alloc(0);
  return await collect(verifiedBody(request), maxBytes, () =>
    clientError('MaxMessageLengthExceeded', `The request body has more than ${maxBytes} bytes.`),
  );
}

async function* checked(
  body: ByteSource,
  expected: { readonly sha256: string | undefined; readonly md5: string | undefined },
): AsyncGenerator<Buffer> {
  const sha256 = expected.sha256 === undefined ? undefined : createHash('sha256');
  const md5 = expected.md5 === undefined ? undefined : createHash('md5');
  for await (const chunk of body) {
    sha256?.update(chunk);
    md5?.update(chunk);
    yield chunk;
  }
  if (sha256?.digest('hex') !== expected.sha256) {
    throw clientError('XAmzContentSHA256Mismatch', 'The x-amz-content-sha256 header does not match the body.');
  }
  if (md5?.digest('base64') !== expected.md5) {
    throw clientError('BadDigest', 'The Content-MD5 you specified did not match what was received.');
  }
}

function readContentMd5(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const digest = Buffer.from(value, 'base64');
  if (digest.length !== MD5_BYTES || digest.toString('base64') !== value) {
    throw clientError('InvalidDigest', 'The Content-MD5 you specified is not the base64 of 16 bytes.');
  }
  return value;
}
