import type { Owner, PartListing, UploadCompleted, UploadCreated, UploadListing } from '../../operations/answer.ts';
import { formatIsoDate } from '../../wire/dates.ts';
import { percentEncodePath } from '../../wire/percent.ts';
import { xmlElement } from '../../wire/xml/xml.ts';
import { owner } from './listing-documents.ts';
import { opening, type XmlVocabulary } from './xml-vocabulary.ts';

/** The answer to CreateMultipartUpload. */
export function uploadCreatedDocument({ ref, uploadId }: UploadCreated, vocabulary: XmlVocabulary): string {
  return (
    opening('InitiateMultipartUploadResult', vocabulary) +
    xmlElement('Bucket', ref.bucket) +
    xmlElement('Key', ref.key) +
    `${xmlElement('UploadId', uploadId)}</InitiateMultipartUploadResult>`
  );
}

/** The answer to ListParts. */
export function partListingDocument(answer: PartListing, vocabulary: XmlVocabulary): string {
  const { asked, parts, truncated, checksum } = answer;
  const { bucket, key } = asked.ref;
  const { checksums } = vocabulary;
  let xml = opening('ListPartsResult', vocabulary);
  xml += xmlElement('Bucket', bucket) + xmlElement('Key', asked.urlEncoded ? percentEncodePath(key) : key);
  if (asked.urlEncoded) xml += '<EncodingType>url</EncodingType>';
  xml += xmlElement('UploadId', asked.uploadId);
  xml += `${initiator(answer.owner)}${owner(answer.owner)}${xmlElement('StorageClass', vocabulary.standardClass)}`;
  if (checksum !== undefined) xml += checksums?.asked(checksum) ?? '';
  xml += xmlElement('PartNumberMarker', asked.partNumberMarker);
  xml += xmlElement('NextPartNumberMarker', parts.at(-1)?.partNumber ?? 0);
  xml += xmlElement('MaxParts', asked.maxParts) + xmlElement('IsTruncated', truncated);
  for (const part of parts) {
    xml += `<Part>${xmlElement('PartNumber', part.partNumber)}`;
    xml += `<LastModified>${formatIsoDate(part.lastModified)}</LastModified>`;
    xml += `<ETag>&quot;${part.etag}&quot;</ETag>${xmlElement('Size', part.plaintextBytes)}`;
    xml += `${part.checksum === undefined ? '' : (checksums?.value(part.checksum) ?? '')}</Part>`;
  }
  return `${xml}</ListPartsResult>`;
}

/** The answer to ListMultipartUploads. */
export function uploadListingDocument(answer: UploadListing, vocabulary: XmlVocabulary): string {
  const { asked } = answer;
  const text = asked.urlEncoded ? percentEncodePath : (plain: string) => plain;
  let xml = opening('ListMultipartUploadsResult', vocabulary);
  xml += xmlElement('Bucket', asked.bucket) + xmlElement('KeyMarker', text(asked.keyMarker));
  xml += xmlElement('UploadIdMarker', asked.uploadIdMarker);
  if (answer.nextKeyMarker !== undefined) xml += xmlElement('NextKeyMarker', text(answer.nextKeyMarker));
  xml += xmlElement('NextUploadIdMarker', answer.nextUploadIdMarker);
  xml += xmlElement('Prefix', text(asked.prefix));
  if (asked.delimiter !== '') xml += xmlElement('Delimiter', text(asked.delimiter));
  if (asked.urlEncoded) xml += '<EncodingType>url</EncodingType>';
  xml += xmlElement('MaxUploads', asked.maxUploads) + xmlElement('IsTruncated', answer.truncated);
  const whose = initiator(answer.owner) + owner(answer.owner);
  for (const upload of answer.uploads) {
    xml += `<Upload>${xmlElement('Key', text(upload.key))}${xmlElement('UploadId', upload.uploadId)}${whose}`;
    xml += xmlElement('StorageClass', upload.storageClass ?? vocabulary.standardClass);
    xml += `<Initiated>${formatIsoDate(upload.initiated)}</Initiated></Upload>`;
  }
  for (const prefix of answer.commonPrefixes) {
    xml += `<CommonPrefixes>${xmlElement('Prefix', text(prefix))}</CommonPrefixes>`;
  }
  return `${xml}</ListMultipartUploadsResult>`;
}

function initiator({ id, displayName }: Owner): string {
  return `<Initiator>${xmlElement('ID', id)}${xmlElement('DisplayName', displayName)}</Initiator>`;
}

/**
 * The answer to CompleteMultipartUpload.
 * @param location the URL of the completed object
 */
export function completedDocument(answer: UploadCompleted, location: string, vocabulary: XmlVocabulary): string {
  const { ref, etag, checksum } = answer;
  return (
    opening('CompleteMultipartUploadResult', vocabulary) +
    xmlElement('Location', location) +
    xmlElement('Bucket', ref.bucket) +
    xmlElement('Key', ref.key) +
    `<ETag>&quot;${etag}&quot;</ETag>` +
    (checksum === undefined ? '' : (vocabulary.checksums?.valueAndType(checksum) ?? '')) +
    '</CompleteMultipartUploadResult>'
  );
}
