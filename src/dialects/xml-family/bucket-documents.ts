import type { ObjectsDeleted } from '../../operations/answer.ts';
import type { BucketListing } from '../../operations/bucket-answers.ts';
import { percentEncodePath } from '../../wire/percent.ts';
import { xmlElement } from '../../wire/xml/xml.ts';
import { owner } from './listing-documents.ts';
import { dateText, opening, type XmlVocabulary } from './xml-vocabulary.ts';

/** The answer to ListBuckets. */
export function bucketListingDocument(answer: BucketListing, vocabulary: XmlVocabulary): string {
  let xml = `${opening('ListAllMyBucketsResult', vocabulary)}${owner(answer.owner)}<Buckets>`;
  for (const { name, created } of answer.buckets) {
    xml += `<Bucket>${xmlElement('Name', name)}<CreationDate>${dateText(created, vocabulary)}</CreationDate></Bucket>`;
  }
  return `${xml}</Buckets></ListAllMyBucketsResult>`;
}

/**
 * The answer to DeleteObjects. A failure has the store's own code where the store speaks the client's dialect, and else
 * the vendor's code for the neutral error.
 * @param options `urlEncoded` has keys percent-encoded (encoding-type=url), which S3 does not have here
 */
export function objectsDeletedDocument(
  answer: ObjectsDeleted,
  vocabulary: XmlVocabulary,
  { urlEncoded = false }: { readonly urlEncoded?: boolean } = {},
): string {
  const text = urlEncoded ? percentEncodePath : (plain: string) => plain;
  let xml = opening('DeleteResult', vocabulary);
  if (urlEncoded) xml += '<EncodingType>url</EncodingType>';
  for (const entry of answer.deleted) {
    xml += `<Deleted>${xmlElement('Key', text(entry.key))}${xmlElement('VersionId', entry.versionId)}`;
    xml += entry.deleteMarker === true ? '<DeleteMarker>true</DeleteMarker>' : '';
    xml += `${xmlElement('DeleteMarkerVersionId', entry.deleteMarkerVersionId)}</Deleted>`;
  }
  for (const { key, versionId, code, message, said } of answer.failures) {
    const word = said?.dialect === vocabulary.dialect ? said.code : vocabulary.errors[code].code;
    xml += `<Error>${xmlElement('Key', text(key))}${xmlElement('VersionId', versionId)}`;
    xml += `${xmlElement('Code', word)}${xmlElement('Message', message)}</Error>`;
  }
  return `${xml}</DeleteResult>`;
}
