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
    // S3 demands Content-MD5 or a checksum of its own on this request.
    const md5 = createHash('md5').update(body).digest('base64');
    const headers = vendorHeadersFor('s3', vendor);
    headers.append('content-type', 'application/xml').append('content-md5', md5);
    // Sent twice, a conditional deletion would fail because of what its own first copy did.
    const idempotent = targets.every(({ etag }) => etag === undefined);
    return { method: 'POST', path: bucketPath(bucket, [['delete', '']]), headers, body, idempotent };
  },
  read(document) {
    const root = readDocument(document, 'DeleteResult');
    return {
      // Beside a key that it refuses, MinIO answers empty elements for the others. Whoever asked knows the keys.
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
