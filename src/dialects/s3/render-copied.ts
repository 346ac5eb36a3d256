import type { ObjectCopied } from '../../operations/answer.ts';
import type { Checksum } from '../../operations/object.ts';
import { formatIsoDate } from '../../wire/dates.ts';
import type { HeaderList } from '../../wire/headers.ts';
import { XML_DECLARATION, xmlElement } from '../../wire/xml.ts';
import { S3_NAMESPACE } from './render-listing.ts';

export function copiedDocument({ etag, lastModified, checksum }: ObjectCopied): string {
  return (
    `${XML_DECLARATION}<CopyObjectResult xmlns="${S3_NAMESPACE}">` +
    `<LastModified>${formatIsoDate(lastModified)}</LastModified>${xmlElement('ETag', `"${etag}"`)}` +
    `${checksumElements(checksum)}</CopyObjectResult>`
  );
}

export function copiedHeaders(answer: ObjectCopied, headers: HeaderList): HeaderList {
  const { versionId, sourceVersionId, vendor } = answer;
  if (sourceVersionId !== undefined) headers.append('x-amz-copy-source-version-id', sourceVersionId);
  if (versionId !== undefined) headers.append('x-amz-version-id', versionId);
  for (const [name, value] of vendor) headers.append(name, value);
  return headers;
}

function checksumElements(checksum: Checksum | undefined): string {
  if (checksum === undefined) return '';
  const value = xmlElement(`Checksum${checksum.algorithm}`, checksum.value.toString('base64'));
  return `${value}<ChecksumType>FULL_OBJECT</ChecksumType>`;
}
