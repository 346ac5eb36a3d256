import { createHash } from 'node:crypto';
import { type XmlElement, xmlChild, xmlChildren, xmlElement, xmlText } from '../../../../wire/xml/xml.ts';
import type { DocumentCall, StoreDeletions } from '../../../backend-calls.ts';
import type { StoredDeletions } from '../../../store-exchange.ts';
import { vendorHeadersFor } from '../../../vendor-headers.ts';
import { opening } from '../../../xml-family/xml-vocabulary.ts';
import { S3_VOCABULARY } from '../../vocabulary.ts';
import { present, readDocument, required } from '../answer-document.ts';
import { readFailure } from '../error.ts';
import { bucketPath } from '../request.ts';

/** DeleteObjects. */
export const deleteMany = {
  takes: 'document',
  render({ bucket, targets, vendor }) {
    const objects = targets.map(
      ({ key, versionId, etag }) =>
        `<Object>${xmlElement('Key', key)}${xmlElement('VersionId', versionId)}${xmlElement('ETag', etag)}</Object>`,
    );
    const body = Buffer.from(`${opening('Delete', S3_VOCABULARY)}${objects.join('')}</Delete>`, 'utf8');
    // S3 requires Content-MD5 or an x-amz-checksum header for this request.
    const md5 = createHash('md5').update(body).digest('base64');
    const headers = vendorHeadersFor('s3', vendor);
    headers.append('content-type', 'application/xml').append('content-md5', md5);
    // If a first attempt succeeded, the objects are gone, and the conditions of a second one would fail.
    const idempotent = targets.every(({ etag }) => etag === undefined);
    return { method: 'POST', path: bucketPath(bucket, [['delete', '']]), headers, body, idempotent };
  },
  read(document) {
    const root = readDocument(document, 'DeleteResult');
    return {
      // If MinIO refuses one key, it sends elements without a key for the others. The caller knows which keys it sent.
      deleted: xmlChildren(root, 'Deleted')
        .filter(hasKey)
        .map((element) => ({
          key: required(element, 'Key'),
          versionId: present(xmlText(element, 'VersionId')),
          deleteMarker: xmlText(element, 'DeleteMarker') === 'true' ? true : undefined,
          deleteMarkerVersionId: present(xmlText(element, 'DeleteMarkerVersionId')),
        })),
      failures: xmlChildren(root, 'Error').map((element) => ({
        key: required(element, 'Key'),
        versionId: present(xmlText(element, 'VersionId')),
        ...readFailure(xmlText(element, 'Code') ?? 'InternalError', xmlText(element, 'Message') ?? ''),
      })),
    };
  },
} satisfies DocumentCall<StoreDeletions, StoredDeletions>;

function hasKey(element: XmlElement): boolean {
  return xmlChild(element, 'Key') !== undefined;
}
