import type { BucketListing, BucketLocation, ObjectsDeleted } from '../../../../operations/answer.ts';
import { formatIsoDate } from '../../../../wire/dates.ts';
import { XML_DECLARATION, xmlElement } from '../../../../wire/xml/xml.ts';
import { S3_ERRORS } from './error-table.ts';
import { owner, S3_NAMESPACE } from './render-listing.ts';

export function bucketListingDocument(answer: BucketListing): string {
  let xml = `${XML_DECLARATION}<ListAllMyBucketsResult xmlns="${S3_NAMESPACE}">${owner(answer.owner)}<Buckets>`;
  for (const { name, created } of answer.buckets) {
    xml += `<Bucket>${xmlElement('Name', name)}<CreationDate>${formatIsoDate(created)}</CreationDate></Bucket>`;
  }
  return `${xml}</Buckets></ListAllMyBucketsResult>`;
}

/** The first region has no name here: buckets in us-east-1 have an empty LocationConstraint, and SDKs rely on it. */
export function locationDocument({ region }: BucketLocation): string {
  const constraint = region === 'us-east-1' ? '' : region;
  return `${XML_DECLARATION}<LocationConstraint xmlns="${S3_NAMESPACE}">${constraint}</LocationConstraint>`;
}

export function objectsDeletedDocument(answer: ObjectsDeleted): string {
  let xml = `${XML_DECLARATION}<DeleteResult xmlns="${S3_NAMESPACE}">`;
  for (const entry of answer.deleted) {
    xml += `<Deleted>${xmlElement('Key', entry.key)}${xmlElement('VersionId', entry.versionId)}`;
    xml += entry.deleteMarker === true ? '<DeleteMarker>true</DeleteMarker>' : '';
    xml += `${xmlElement('DeleteMarkerVersionId', entry.deleteMarkerVersionId)}</Deleted>`;
  }
  for (const { key, versionId, code, message, said } of answer.failures) {
    const word = said?.dialect === 's3' ? said.code : S3_ERRORS[code].code;
    xml += `<Error>${xmlElement('Key', key)}${xmlElement('VersionId', versionId)}`;
    xml += `${xmlElement('Code', word)}${xmlElement('Message', message)}</Error>`;
  }
  return `${xml}</DeleteResult>`;
}
