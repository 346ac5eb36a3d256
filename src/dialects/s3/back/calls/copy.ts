import { unquoted } from '../../../../wire/etag.ts';
import { HeaderList } from '../../../../wire/headers.ts';
import type { DocumentCall } from '../../../backend-calls.ts';
import type { ForStore } from '../../../identifiers.ts';
import type { StoreCopy, StoreCopySource, StoredCopy, StorePartCopy } from '../../../store-exchange.ts';
import { readAcknowledgement, readDate, required } from '../answer-document.ts';
import { readMarks } from '../answer-head.ts';
import { addEncryption, addObjectKey, addSourceKey } from '../encryption-headers.ts';
import { metadataHeaders } from '../object-headers.ts';
import { objectPath } from '../request.ts';

/**
 * CopyObject. The source is pinned by ETag and version. Its metadata is replaced, because the source's envelope is
 * bound to the place of the source.
 */
export const copy = {
  takes: 'acknowledgement',
  render({ ref, source, metadata, tags, encryption }) {
    const headers = metadataHeaders(metadata);
    addSource(headers, source);
    addEncryption(headers, encryption);
    headers.append('x-amz-metadata-directive', 'REPLACE');
    headers.append('x-amz-tagging-directive', tags === 'copy' ? 'COPY' : 'REPLACE');
    return { method: 'PUT', path: objectPath(ref), headers, body: undefined, idempotent: true };
  },
  read(document, answer) {
    const root = readAcknowledgement(document, answer, 'CopyObjectResult');
    const etag = unquoted(required(root, 'ETag'));
    return { etag, lastModified: readDate(root, 'LastModified'), ...readMarks(answer.headers) };
  },
} satisfies DocumentCall<StoreCopy, StoredCopy>;

/** UploadPartCopy. */
export const copyPart = {
  takes: 'acknowledgement',
  render({ ref, uploadId, partNumber, source, range, encryption }) {
    const headers = new HeaderList();
    addSource(headers, source);
    addObjectKey(headers, encryption);
    if (range !== undefined) headers.append('x-amz-copy-source-range', `bytes=${range.first}-${range.last}`);
    const path = objectPath(ref, [
      ['partNumber', partNumber],
      ['uploadId', uploadId],
    ]);
    return { method: 'PUT', path, headers, body: undefined, idempotent: true };
  },
  read: (document, answer) => unquoted(required(readAcknowledgement(document, answer, 'CopyPartResult'), 'ETag')),
} satisfies DocumentCall<StorePartCopy, string>;

function addSource(headers: HeaderList, { ref, etag, encryption }: ForStore<StoreCopySource>): void {
  headers.append('x-amz-copy-source', objectPath(ref, [['versionId', ref.versionId]]));
  headers.append('x-amz-copy-source-if-match', `"${etag}"`);
  addSourceKey(headers, encryption);
}
