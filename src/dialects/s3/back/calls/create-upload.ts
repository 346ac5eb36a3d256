import type { ObjectMetadata, ObjectRef } from '../../../../operations/object.ts';
import type { DocumentCall } from '../../../backend-calls.ts';
import { readDocument, required } from '../answer-document.ts';
import { metadataHeaders } from '../object-headers.ts';
import { objectPath } from '../request.ts';

/** CreateMultipartUpload. */
export const createUpload = {
  takes: 'document',
  render: ({ ref, metadata }) => ({
    method: 'POST',
    path: objectPath(ref, [['uploads', '']]),
    headers: metadataHeaders(metadata),
    body: undefined,
    // A second attempt could begin a second upload.
    idempotent: false,
  }),
  read: (document) => required(readDocument(document, 'InitiateMultipartUploadResult'), 'UploadId'),
} satisfies DocumentCall<{ readonly ref: ObjectRef; readonly metadata: ObjectMetadata }, string>;
