import { HeaderList } from '../../../../wire/headers.ts';
import type { OutgoingRequest } from '../../../../wire/message.ts';
import type { DocumentCall, HeadCall, StoreImpossiblePart, StorePart } from '../../../backend-calls.ts';
import type { ForStore } from '../../../identifiers.ts';
import type { StoredAck } from '../../../store-exchange.ts';
import { readAck } from '../answer-head.ts';
import { addObjectKey } from '../encryption-headers.ts';
import { S3_LIMITS } from '../limits.ts';
import { objectPath } from '../request.ts';

/** UploadPart. */
export const uploadPart = {
  takes: 'nothing',
  render: renderPart,
  read: readAck,
} satisfies HeadCall<StorePart, StoredAck>;

/** The MD5 of an empty body, in base64. */
const EMPTY_MD5 = '1B2M2Y8AsgTpgAmY7PhCfg==';

/**
 * An UploadPart whose Content-MD5 is wrong (see BackendCalls.impossiblePart). By default it has the last part number,
 * which is reserved for the gateway's footer. So where a store takes the part all the same, no part of the client is
 * overwritten.
 */
export const impossiblePart = {
  takes: 'document',
  render(upload) {
    const { partNumber = S3_LIMITS.lastPartNumber } = upload;
    const part = { ...upload, partNumber, body: Buffer.from('?') };
    const request = renderPart(part);
    request.headers.append('content-md5', EMPTY_MD5);
    return request;
  },
  read: (document, { status }) =>
    (status >= 200 && status < 300) || (status === 400 && document.includes('<Code>BadDigest</Code>')),
} satisfies DocumentCall<StoreImpossiblePart, boolean>;

function renderPart({ ref, uploadId, partNumber, body, encryption }: ForStore<StorePart>): OutgoingRequest {
  const path = objectPath(ref, [
    ['partNumber', partNumber],
    ['uploadId', uploadId],
  ]);
  const headers = new HeaderList();
  addObjectKey(headers, encryption);
  return { method: 'PUT', path, headers, body, idempotent: true };
}
