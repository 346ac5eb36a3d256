import type { BucketListing, ObjectsDeleted } from '../../operations/answer.ts';
import { formatIsoDate } from '../../wire/dates.ts';
import { xmlElement } from '../../wire/xml/xml.ts';
import { owner } from './listing-documents.ts';
import { opening, type XmlVocabulary } from './xml-vocabulary.ts';

/** The answer to ListBuckets. */
export function bucketListingDocument(answer: BucketListing, vocabulary: XmlVocabulary): string {
  let xml = `${opening('ListAllMyBucketsResult', vocabulary)}${owner(answer.owner)}<Buckets>`;
  for (const { name, created } of answer.buckets) {
    xml += `<Bucket>${xmlElement('Name', name)}<CreationDate>${formatIsoDate(created)}</CreationDate></Bucket>`;
  }
  return `${xml}</Buckets></ListAllMyBucketsResult>`;
}

/**
 * The answer to DeleteObjects. A failure has the store's own code where the store speaks the client's dialect, and else
 * the vendor's code for the neutral error.
 */
export function objectsDeletedDocument(answer: ObjectsDeleted, vocabulary: XmlVocabulary): string {
  let xml = opening('DeleteResult', vocabulary);
  for (const entry of answer.deleted) {
    xml += `<Deleted>${xmlElement('Key', entry.key)}${xmlElement('VersionId', entry.versionId)}`;
    xml += entry.deleteMarker === true ? '<DeleteMarker>true</DeleteMarker>' : '';
    xml += `${xmlElement('DeleteMarkerVersionId', entry.deleteMarkerVersionId)}</Deleted>`;
  }
  for (const { key, versionId, code, message, said } of answer.failures) {
    const word = said?.dialect === vocabulary.dialect ? said.code : vocabulary.errors[code].code;
    xml += `<Error>${xmlElement('Key', key)}${xmlElement('VersionId', versionId)}`;
    xml += `${xmlElement('Code', word)}${xmlElement('Message', message)}</Error>`;
  }
  return `${xml}</DeleteResult>`;
}
