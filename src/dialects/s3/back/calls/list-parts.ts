import { unquoted } from '../../../../wire/etag.ts';
import { xmlChildren, xmlText } from '../../../../wire/xml/xml.ts';
import type { DocumentCall, StoreListParts } from '../../../backend-calls.ts';
import type { StoredPartListing } from '../../../store-exchange.ts';
import { readDate, readDocument, readNumber, required } from '../answer-document.ts';
import { S3_LIMITS } from '../limits.ts';
import { bodiless, objectPath } from '../request.ts';

/** ListParts. */
export const listParts = {
  takes: 'document',
  render: ({ ref, uploadId, partNumberMarker }) =>
    bodiless(
      'GET',
      objectPath(ref, [
        ['max-parts', S3_LIMITS.entriesAPage],
        ['part-number-marker', partNumberMarker],
        ['uploadId', uploadId],
      ]),
    ),
  read(document) {
    const root = readDocument(document, 'ListPartsResult');
    return {
      parts: xmlChildren(root, 'Part').map((element) => {
        const partNumber = readNumber(element, 'PartNumber');
        const storedBytes = readNumber(element, 'Size');
        // A part that MinIO could not read, because it is just being written, has an empty date or one in the year 1.
        const unread = /^(?:0001-01-01T.*)?$/.test(required(element, 'LastModified'));
        if (unread) return { partNumber, etag: '', storedBytes, lastModified: new Date(0) };
        const etag = unquoted(required(element, 'ETag'));
        return { partNumber, etag, storedBytes, lastModified: readDate(element, 'LastModified') };
      }),
      truncated: xmlText(root, 'IsTruncated') === 'true',
    };
  },
} satisfies DocumentCall<StoreListParts, StoredPartListing>;
