import type { ListedObject, ObjectListing, Owner, VersionListing } from '../../operations/answer.ts';
import { formatIsoDate } from '../../wire/dates.ts';
import { percentEncodePath } from '../../wire/percent.ts';
import { XML_DECLARATION, xmlElement } from '../../wire/xml.ts';

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** Listings are the hot documents: strings are put together, nothing is built in between. */
export function listingDocument(answer: ObjectListing): string {
  const { asked } = answer;
  const text = asked.urlEncoded ? percentEncodePath : itself;
  let xml = `${XML_DECLARATION}<ListBucketResult xmlns="${S3_NAMESPACE}">`;
  xml += xmlElement('Name', asked.bucket) + xmlElement('Prefix', text(asked.prefix));
  xml += asked.form === 1 ? firstForm(answer, text) : secondForm(answer, text);
  xml += xmlElement('MaxKeys', asked.maxKeys);
  if (asked.delimiter !== '') xml += xmlElement('Delimiter', text(asked.delimiter));
  if (asked.urlEncoded) xml += '<EncodingType>url</EncodingType>';
  xml += xmlElement('IsTruncated', answer.truncated);
  for (const object of answer.objects) xml += `<Contents>${objectFields(object, text)}</Contents>`;
  return `${xml}${commonPrefixes(answer.commonPrefixes, text)}</ListBucketResult>`;
}

function firstForm({ asked, truncated, nextMarker }: ObjectListing, text: Encode): string {
  const next = truncated && nextMarker !== undefined ? xmlElement('NextMarker', text(nextMarker)) : '';
  return xmlElement('Marker', text(asked.after)) + next;
}

function secondForm(answer: ObjectListing, text: Encode): string {
  const { asked, objects } = answer;
  let xml = xmlElement('KeyCount', objects.length + answer.commonPrefixes.length);
  if (asked.after !== '') xml += xmlElement('StartAfter', text(asked.after));
  xml += xmlElement('ContinuationToken', asked.continuationToken);
  return answer.truncated ? xml + xmlElement('NextContinuationToken', answer.nextContinuationToken) : xml;
}

export function versionListingDocument(answer: VersionListing): string {
  const { asked } = answer;
  const text = asked.urlEncoded ? percentEncodePath : itself;
  let xml = `${XML_DECLARATION}<ListVersionsResult xmlns="${S3_NAMESPACE}">`;
  xml += xmlElement('Name', asked.bucket) + xmlElement('Prefix', text(asked.prefix));
  xml += xmlElement('KeyMarker', text(asked.keyMarker)) + xmlElement('VersionIdMarker', asked.versionIdMarker);
  if (answer.truncated) {
    if (answer.nextKeyMarker !== undefined) xml += xmlElement('NextKeyMarker', text(answer.nextKeyMarker));
    xml += xmlElement('NextVersionIdMarker', answer.nextVersionIdMarker);
  }
  xml += xmlElement('MaxKeys', asked.maxKeys);
  if (asked.delimiter !== '') xml += xmlElement('Delimiter', text(asked.delimiter));
  if (asked.urlEncoded) xml += '<EncodingType>url</EncodingType>';
  xml += xmlElement('IsTruncated', answer.truncated);
  for (const entry of answer.entries) {
    const version = xmlElement('VersionId', entry.versionId) + xmlElement('IsLatest', entry.latest);
    xml += entry.deleteMarker
      ? `<DeleteMarker>${xmlElement('Key', text(entry.key))}${version}${modified(entry.lastModified)}${owner(entry.owner)}</DeleteMarker>`
      : `<Version>${objectFields(entry, text)}${version}</Version>`;
  }
  return `${xml}${commonPrefixes(answer.commonPrefixes, text)}</ListVersionsResult>`;
}

type Encode = (text: string) => string;

function itself(text: string): string {
  return text;
}

function objectFields(object: ListedObject, text: Encode): string {
  return (
    xmlElement('Key', text(object.key)) +
    modified(object.lastModified) +
    `<ETag>&quot;${object.etag}&quot;</ETag><Size>${object.plaintextBytes}</Size>` +
    owner(object.owner) +
    xmlElement('StorageClass', object.storageClass ?? 'STANDARD')
  );
}

function modified(date: Date): string {
  return `<LastModified>${formatIsoDate(date)}</LastModified>`;
}

/** Also a bucket listing's. */
export function owner(value: Owner | undefined): string {
  if (value === undefined) return '';
  return `<Owner>${xmlElement('ID', value.id)}${xmlElement('DisplayName', value.displayName)}</Owner>`;
}

function commonPrefixes(prefixes: readonly string[], text: Encode): string {
  let xml = '';
  for (const prefix of prefixes) xml += `<CommonPrefixes>${xmlElement('Prefix', text(prefix))}</CommonPrefixes>`;
  return xml;
}
