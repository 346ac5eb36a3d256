import type { ObjectCopied, PartCopied } from '../../../../operations/answer.ts';
import { formatIsoDate } from '../../../../wire/dates.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { XML_DECLARATION, xmlElement } from '../../../../wire/xml/xml.ts';
import { appendVendor } from '../../../vendor-headers.ts';
import { S3_NAMESPACE } from './render-listing.ts';
import { checksumElement, typeName } from './render-upload.ts';

export function copiedDocument(answer: ObjectCopied): string {
  const { checksum } = answer;
  const type = checksum === undefined ? '' : xmlElement('ChecksumType', typeName(checksum.parts !== undefined));
  return result('CopyObjectResult', answer, type);
}

export function partCopiedDocument(answer: PartCopied): string {
  return result('CopyPartResult', answer, '');
}

function result(root: string, { lastModified, etag, checksum }: ObjectCopied | PartCopied, more: string): string {
  return (
    `${XML_DECLARATION}<${root} xmlns="${S3_NAMESPACE}">` +
    `<LastModified>${formatIsoDate(lastModified)}</LastModified>${xmlElement('ETag', `"${etag}"`)}` +
    `${checksumElement(checksum)}${more}</${root}>`
  );
}

export function copiedHeaders(answer: ObjectCopied | PartCopied, headers: HeaderList): HeaderList {
  const { sourceVersionId } = answer;
  if (sourceVersionId !== undefined) headers.append('x-amz-copy-source-version-id', sourceVersionId);
  if (answer.kind === 'PartCopied') return headers;
  if (answer.versionId !== undefined) headers.append('x-amz-version-id', answer.versionId);
  appendVendor(headers, answer.vendor, 's3');
  return headers;
}
