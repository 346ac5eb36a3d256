import type { PartListing, UploadCompleted, UploadCreated, UploadListing } from '../../operations/answer.ts';
import type { Owner } from '../../operations/bucket-answers.ts';
import { percentEncodePath } from '../../wire/percent.ts';
import { xmlElement } from '../../wire/xml/xml.ts';
import { owner } from './listing-documents.ts';
import {
  dateText,
  etagElement,
  markerElement,
  opening,
  storageClassElement,
  type XmlVocabulary,
} from './xml-vocabulary.ts';

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
  if (asked.urlEncoded) xml += xmlElement(vocabulary.encodingTypeNames?.parts ?? 'EncodingType', 'url');
  xml += xmlElement('UploadId', asked.uploadId);
  xml += `${initiator(answer.owner)}${owner(answer.owner)}${storageClassElement(undefined, vocabulary)}`;
  if (checksum !== undefined) xml += checksums?.asked(checksum) ?? '';
  xml += xmlElement('PartNumberMarker', asked.partNumberMarker);
  xml += xmlElement('NextPartNumberMarker', parts.at(-1)?.partNumber ?? 0);
  xml += xmlElement('MaxParts', asked.maxParts) + xmlElement('IsTruncated', truncated);
  for (const part of parts) {
    xml += `<Part>${xmlElement('PartNumber', part.partNumber)}`;
    xml += `<LastModified>${dateText(part.lastModified, vocabulary)}</LastModified>`;
    xml += etagElement(part.etag, vocabulary) + xmlElement('Size', part.plaintextBytes);
    xml += vocabulary.ofListedPart?.(part) ?? '';
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
  const nextKey = answer.nextKeyMarker === undefined ? undefined : text(answer.nextKeyMarker);
  xml += markerElement('NextKeyMarker', nextKey, vocabulary);
  xml += markerElement('NextUploadIdMarker', answer.nextUploadIdMarker, vocabulary);
  xml += xmlElement('Prefix', text(asked.prefix));
  if (asked.delimiter !== '') xml += xmlElement('Delimiter', text(asked.delimiter));
  if (asked.urlEncoded) xml += xmlElement(vocabulary.encodingTypeNames?.uploads ?? 'EncodingType', 'url');
  xml += xmlElement('MaxUploads', asked.maxUploads) + xmlElement('IsTruncated', answer.truncated);
  const whose = initiator(answer.owner) + owner(answer.owner);
  for (const upload of answer.uploads) {
    xml += `<Upload>${xmlElement('Key', text(upload.key))}${xmlElement('UploadId', upload.uploadId)}${whose}`;
    xml += storageClassElement(upload.storageClass, vocabulary);
    xml += `<Initiated>${dateText(upload.initiated, vocabulary)}</Initiated></Upload>`;
  }
  const { uploadPrefixName = 'CommonPrefixes' } = vocabulary;
  for (const prefix of answer.commonPrefixes) {
    xml += `<${uploadPrefixName}>${xmlElement('Prefix', text(prefix))}</${uploadPrefixName}>`;
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
    etagElement(etag, vocabulary) +
    (checksum === undefined ? '' : (vocabulary.checksums?.valueAndType(checksum) ?? '')) +
    '</CompleteMultipartUploadResult>'
  );
}
