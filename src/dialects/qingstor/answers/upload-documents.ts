import type { PartListing, UploadCreated, UploadListing } from '../../../operations/answer.ts';
import { vendorPartNumber } from '../vocabulary.ts';
import { ownerFields } from './bucket-documents.ts';

/** The answer to InitiateMultipartUpload. */
export function uploadDocument({ ref, uploadId }: UploadCreated): object {
  return { bucket: ref.bucket, key: ref.key, upload_id: uploadId };
}

/** The answer to ListMultipart. ETags of parts have no quotes here. */
export function partsDocument({ asked, owner, parts, truncated }: PartListing): object {
  const last = parts.at(-1);
  return {
    bucket: asked.ref.bucket,
    key: asked.ref.key,
    upload_id: asked.uploadId,
    count: parts.length,
    object_parts: parts.map(({ partNumber, etag, plaintextBytes, lastModified }) => ({
      part_number: vendorPartNumber(partNumber),
      size: plaintextBytes,
      created: lastModified.toISOString(),
      etag,
    })),
    // The vendor has no such fields. Without them nobody could tell that parts follow.
    has_more: truncated,
    ...(truncated && last !== undefined && { next_part_number_marker: vendorPartNumber(last.partNumber) }),
    owner: ownerFields(owner),
  };
}

/** The answer to ListMultipartUploads. */
export function uploadsDocument(answer: UploadListing): object {
  const { asked, uploads, truncated } = answer;
  return {
    name: asked.bucket,
    prefix: asked.prefix,
    delimiter: asked.delimiter,
    limit: asked.maxUploads,
    marker: asked.keyMarker,
    key_marker: asked.keyMarker,
    upload_id_marker: asked.uploadIdMarker,
    next_key_marker: truncated ? (answer.nextKeyMarker ?? '') : '',
    next_upload_id_marker: truncated ? (answer.nextUploadIdMarker ?? '') : '',
    has_more: truncated,
    common_prefixes: answer.commonPrefixes,
    uploads: uploads.map(({ key, uploadId, initiated }) => ({
      key,
      upload_id: uploadId,
      created: initiated.toISOString(),
    })),
    owner: ownerFields(answer.owner),
  };
}
