import type { ListMultipartUploads } from '../../../../operations/listing.ts';
import { xmlChildren, xmlText } from '../../../../wire/xml/xml.ts';
import type { DocumentCall } from '../../../backend-calls.ts';
import type { StoredUploadListing } from '../../../store-exchange.ts';
import { present, readDate, readDocument, required, urlDecoded } from '../answer-document.ts';
import { bodiless, bucketPath, optional } from '../request.ts';

/** ListMultipartUploads. */
export const listUploads = {
  takes: 'document',
  render: (asked) =>
    bodiless(
      'GET',
      bucketPath(asked.bucket, [
        ['delimiter', optional(asked.delimiter)],
        ['encoding-type', 'url'],
        ['key-marker', optional(asked.keyMarker)],
        ['max-uploads', asked.maxUploads],
        ['prefix', optional(asked.prefix)],
        ['upload-id-marker', optional(asked.uploadIdMarker)],
        ['uploads', ''],
      ]),
    ),
  read(document) {
    const root = readDocument(document, 'ListMultipartUploadsResult');
    // The answer says whether names are encoded. Stores that do not know `encoding-type` send them as they are.
    const decode = xmlText(root, 'EncodingType') === 'url' ? urlDecoded : (text: string) => text;
    const nextKeyMarker = present(xmlText(root, 'NextKeyMarker'));
    return {
      uploads: xmlChildren(root, 'Upload').map((element) => ({
        key: decode(required(element, 'Key')),
        uploadId: required(element, 'UploadId'),
        initiated: readDate(element, 'Initiated'),
        storageClass: present(xmlText(element, 'StorageClass')),
      })),
      commonPrefixes: xmlChildren(root, 'CommonPrefixes').map((element) => decode(required(element, 'Prefix'))),
      truncated: xmlText(root, 'IsTruncated') === 'true',
      nextKeyMarker: nextKeyMarker === undefined ? undefined : decode(nextKeyMarker),
      nextUploadIdMarker: present(xmlText(root, 'NextUploadIdMarker')),
    };
  },
} satisfies DocumentCall<ListMultipartUploads, StoredUploadListing>;
