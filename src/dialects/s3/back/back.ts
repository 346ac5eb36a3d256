import type { BackDialect } from '../../back-dialect.ts';
import { readCopied, readCopiedPart, readTags, renderCopy, renderCopyPart } from './copy.ts';
import { readError } from './error.ts';
import { forward } from './forward.ts';
import { s3Grammar } from './grammar.ts';
import { S3_LIMITS } from './limits.ts';
import { renderPreflight } from './preflight.ts';
import { readAck, readDelete, readObject } from './read.ts';
import {
  readBuckets,
  readCompleted,
  readDeleteMany,
  readLocation,
  readParts,
  readUploadId,
  readUploads,
} from './read-document.ts';
import { readListing, readVersionListing } from './read-listing.ts';
import {
  bodiless,
  bucketPath,
  objectPath,
  renderAbortUpload,
  renderCompleteUpload,
  renderCreateBucket,
  renderCreateUpload,
  renderDelete,
  renderDeleteMany,
  renderGet,
  renderImpossiblePart,
  renderList,
  renderListParts,
  renderListUploads,
  renderListVersions,
  renderPut,
  renderUploadPart,
} from './render.ts';
import { sign } from './sign.ts';

/** The gateway as a client of an S3-compatible store. */
export const s3Back: BackDialect = {
  name: 's3',
  grammar: s3Grammar,
  preflight: renderPreflight,
  put: renderPut,
  get: (get) => renderGet('GET', get),
  head: (get) => renderGet('HEAD', get),
  delete: renderDelete,
  deleteMany: renderDeleteMany,
  list: renderList,
  listVersions: renderListVersions,
  listBuckets: () => bodiless('GET', '/'),
  headBucket: (bucket) => bodiless('HEAD', bucketPath(bucket)),
  createBucket: renderCreateBucket,
  // Sent twice, it would answer that there is no such bucket.
  deleteBucket: (bucket) => ({ ...bodiless('DELETE', bucketPath(bucket)), idempotent: false }),
  bucketLocation: (bucket) => bodiless('GET', bucketPath(bucket, [['location', '']])),
  createUpload: renderCreateUpload,
  uploadPart: renderUploadPart,
  impossiblePart: renderImpossiblePart,
  completeUpload: renderCompleteUpload,
  abortUpload: renderAbortUpload,
  copy: renderCopy,
  copyPart: renderCopyPart,
  tags: (ref) =>
    bodiless(
      'GET',
      objectPath(ref, [
        ['tagging', ''],
        ['versionId', ref.versionId],
      ]),
    ),
  listParts: renderListParts,
  listUploads: renderListUploads,
  forward,
  sign,
  readObject,
  readAck,
  readDelete,
  readDeleteMany,
  readListing,
  readVersionListing,
  isImpossiblePart: ({ status }, document) =>
    (status >= 200 && status < 300) || (status === 400 && document.includes('<Code>BadDigest</Code>')),
  readBuckets,
  readLocation,
  readUploadId,
  readParts,
  readUploads,
  readComplete: (response, document) => {
    // S3 sends the head before it knows the outcome: 200 may carry an error (AWS: "Complete", Response Syntax).
    if (document.includes('<Error>')) throw readError(response, document, {});
    return readCompleted(response, document);
  },
  readCopied,
  readCopiedPart,
  readTags,
  readError,
  limits: S3_LIMITS,
};
