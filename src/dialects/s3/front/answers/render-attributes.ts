import type { ObjectAttributes } from '../../../../operations/answer.ts';
import { formatHttpDate } from '../../../../wire/dates.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { xmlElement } from '../../../../wire/xml/xml.ts';
import { opening } from '../../../xml-family/xml-vocabulary.ts';
import { storageClassIn } from '../../traits.ts';
import { S3_VOCABULARY } from '../../vocabulary.ts';

/**
 * The answer to GetObjectAttributes. As in S3, its ETag has no quotes, and a composite checksum has no number of parts.
 */
export function attributesDocument({ asked, facts, parts }: ObjectAttributes): string {
  const { attributes } = asked;
  const { checksum } = facts;
  let xml = opening('GetObjectAttributesResponse', S3_VOCABULARY);
  if (attributes.has('etag')) xml += xmlElement('ETag', facts.etag);
  if (attributes.has('checksum') && checksum !== undefined) {
    const type = checksum.parts === undefined ? 'FULL_OBJECT' : 'COMPOSITE';
    const value = xmlElement(`Checksum${checksum.algorithm}`, checksum.value.toString('base64'));
    xml += `<Checksum>${value}${xmlElement('ChecksumType', type)}</Checksum>`;
  }
  if (attributes.has('parts') && parts !== undefined) xml += partsElement(asked, parts);
  if (attributes.has('storageClass')) {
    xml += xmlElement('StorageClass', storageClassIn(facts.metadata));
  }
  if (attributes.has('size')) xml += xmlElement('ObjectSize', facts.plaintextBytes);
  return `${xml}</GetObjectAttributesResponse>`;
}

function partsElement(
  { maxParts, partNumberMarker }: ObjectAttributes['asked'],
  { count, listed, truncated }: NonNullable<ObjectAttributes['parts']>,
): string {
  let xml = '<ObjectParts>';
  if (listed !== undefined) {
    xml += xmlElement('IsTruncated', truncated) + xmlElement('MaxParts', maxParts);
    xml += xmlElement('NextPartNumberMarker', listed.at(-1)?.partNumber ?? 0);
    xml += xmlElement('PartNumberMarker', partNumberMarker);
    for (const { partNumber, plaintextBytes } of listed) {
      xml += `<Part>${xmlElement('PartNumber', partNumber)}${xmlElement('Size', plaintextBytes)}</Part>`;
    }
  }
  return `${xml}${xmlElement('PartsCount', count)}</ObjectParts>`;
}

/** Appends the headers of the answer to GetObjectAttributes. */
export function attributesHeaders({ facts }: ObjectAttributes, headers: HeaderList): HeaderList {
  headers.append('Last-Modified', formatHttpDate(facts.lastModified));
  return facts.versionId === undefined ? headers : headers.append('x-amz-version-id', facts.versionId);
}
