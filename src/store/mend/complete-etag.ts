import { createHash } from 'node:crypto';
import type { CompletedPart } from '../../dialects/store-exchange.ts';
import { GatewayError } from '../../errors.ts';

const MD5 = /^[0-9a-f]{32}$/;

/**
 * Computes the ETag that S3 stores give an object of these parts: the MD5 of the parts' MD5s, and their number. Ceph
 * RGW 16 leaves the ETag out of its answer to CompleteMultipartUpload.
 * @throws GatewayError BackendError if the parts' ETags are not MD5s, so that the ETag cannot be computed
 */
export function etagOfParts(parts: readonly CompletedPart[]): string {
  const md5s = parts.map(({ etag }) => etag);
  if (!md5s.every((md5) => MD5.test(md5))) {
    throw new GatewayError('BackendError', 'The backend completed an upload and did not tell its ETag.', {
      source: 'backend',
    });
  }
  const md5 = createHash('md5')
    .update(Buffer.from(md5s.join(''), 'hex'))
    .digest('hex');
  return `${md5}-${parts.length}`;
}
