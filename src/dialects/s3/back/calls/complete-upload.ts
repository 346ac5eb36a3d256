import { unquoted } from '../../../../wire/etag.ts';
import { HeaderList } from '../../../../wire/headers.ts';
import { xmlElement } from '../../../../wire/xml/xml.ts';
import type { DocumentCall, StoreComplete } from '../../../backend-calls.ts';
import type { StoredAck } from '../../../store-exchange.ts';
import { opening } from '../../../xml-family/xml-vocabulary.ts';
import { S3_VOCABULARY } from '../../vocabulary.ts';
import { readAcknowledgement, required } from '../answer-document.ts';
import { readMarks } from '../answer-head.ts';
import { addObjectKey } from '../encryption-headers.ts';
import { addEtagConditions } from '../object-headers.ts';
import { objectPath } from '../request.ts';

/** CompleteMultipartUpload. */
export const completeUpload = {
  takes: 'acknowledgement',
  render({ ref, uploadId, parts, conditions, encryption }) {
    const listed = parts.map(
      ({ partNumber, etag }) =>
        `<Part>${xmlElement('PartNumber', partNumber)}${xmlElement('ETag', `"${etag}"`)}</Part>`,
    );
    const headers = new HeaderList(['content-type', 'application/xml']);
    addEtagConditions(headers, conditions);
    addObjectKey(headers, encryption);
    return {
      method: 'POST',
      path: objectPath(ref, [['uploadId', uploadId]]),
      headers,
      body: Buffer.from(
        `${opening('CompleteMultipartUpload', S3_VOCABULARY)}${listed.join('')}</CompleteMultipartUpload>`,
      ),
      // If the first attempt succeeded, a second would be told that there is no such upload.
      idempotent: false,
    };
  },
  read(document, answer) {
    const root = readAcknowledgement(document, answer, 'CompleteMultipartUploadResult');
    return { etag: unquoted(required(root, 'ETag')), ...readMarks(answer.headers) };
  },
} satisfies DocumentCall<StoreComplete, StoredAck>;
