import type { DocumentCall, StoreNewUpload } from '../../../backend-calls.ts';
import { readDocument, required } from '../answer-document.ts';
import { addEncryption } from '../encryption-headers.ts';
import { metadataHeaders } from '../object-headers.ts';
import { objectPath } from '../request.ts';

/** CreateMultipartUpload. */
export const createUpload = {
  takes: 'document',
  render({ ref, metadata, encryption }) {
    const headers = metadataHeaders(metadata);
    addEncryption(headers, encryption);
    // A second attempt could begin a second upload.
    return { method: 'POST', path: objectPath(ref, [['uploads', '']]), headers, body: undefined, idempotent: false };
  },
  read: (document) => required(readDocument(document, 'InitiateMultipartUploadResult'), 'UploadId'),
} satisfies DocumentCall<StoreNewUpload, string>;
