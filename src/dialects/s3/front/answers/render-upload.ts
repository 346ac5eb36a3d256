import type {
  PartListing,
  PartStored,
  UploadCompleted,
  UploadCreated,
  UploadListing,
} from '../../../../operations/answer.ts';
import type { AskedChecksum, Checksum } from '../../../../operations/object.ts';
import { formatIsoDate } from '../../../../wire/dates.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireResponse } from '../../../../wire/message.ts';
import { percentEncodePath } from '../../../../wire/percent.ts';
import { XML_DECLARATION, xmlElement } from '../../../../wire/xml/xml.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { appendVendor } from '../../../vendor-headers.ts';
import { checksumText } from '../../checksum.ts';
import { owner, S3_NAMESPACE } from './render-listing.ts';
import { appendChecksum } from './render-object.ts';

export function uploadCreatedDocument({ ref, uploadId }: UploadCreated): string {
  return (
    `${XML_DECLARATION}<InitiateMultipartUploadResult xmlns="${S3_NAMESPACE}">` +
    xmlElement('Bucket', ref.bucket) +
    xmlElement('Key', ref.key) +
    `${xmlElement('UploadId', uploadId)}</InitiateMultipartUploadResult>`
  );
}

export function appendAskedChecksum(headers: HeaderList, checksum: AskedChecksum | undefined): HeaderList {
  if (checksum === undefined) return headers;
  headers.append('x-amz-checksum-algorithm', checksum.algorithm);
  return headers.append('x-amz-checksum-type', typeName(checksum.composite));
}

export function renderPartStored(answer: PartStored, headers: HeaderList): WireResponse {
  headers.append('Content-Length', '0').append('ETag', `"${answer.etag}"`);
  appendChecksum(headers, answer.checksum, { withType: false });
  return { status: 200, headers, body: undefined };
}

export function partListingDocument(answer: PartListing): string {
  const { asked, parts, truncated, checksum } = answer;
  const { bucket, key } = asked.ref;
  let xml = `${XML_DECLARATION}<ListPartsResult xmlns="${S3_NAMESPACE}">`;
  xml += xmlElement('Bucket', bucket) + xmlElement('Key', asked.urlEncoded ? percentEncodePath(key) : key);
  if (asked.urlEncoded) xml += '<EncodingType>url</EncodingType>';
  xml += xmlElement('UploadId', asked.uploadId);
  xml += `<Initiator>${xmlElement('ID', answer.owner.id)}${xmlElement('DisplayName', answer.owner.displayName)}</Initiator>`;
  xml += `${owner(answer.owner)}<StorageClass>STANDARD</StorageClass>`;
  if (checksum !== undefined) {
    xml += xmlElement('ChecksumAlgorithm', checksum.algorithm);
    xml += xmlElement('ChecksumType', typeName(checksum.composite));
  }
  xml += xmlElement('PartNumberMarker', asked.partNumberMarker);
  xml += xmlElement('NextPartNumberMarker', parts.at(-1)?.partNumber ?? 0);
  xml += xmlElement('MaxParts', asked.maxParts) + xmlElement('IsTruncated', truncated);
  for (const part of parts) {
    xml += `<Part>${xmlElement('PartNumber', part.partNumber)}`;
    xml += `<LastModified>${formatIsoDate(part.lastModified)}</LastModified>`;
    xml += `<ETag>&quot;${part.etag}&quot;</ETag>${xmlElement('Size', part.plaintextBytes)}`;
    xml += `${checksumElement(part.checksum)}</Part>`;
  }
  return `${xml}</ListPartsResult>`;
}

export function uploadListingDocument(answer: UploadListing): string {
  const { asked } = answer;
  const text = asked.urlEncoded ? percentEncodePath : (plain: string) => plain;
  let xml = `${XML_DECLARATION}<ListMultipartUploadsResult xmlns="${S3_NAMESPACE}">`;
  xml += xmlElement('Bucket', asked.bucket) + xmlElement('KeyMarker', text(asked.keyMarker));
  xml += xmlElement('UploadIdMarker', asked.uploadIdMarker);
  if (answer.nextKeyMarker !== undefined) xml += xmlElement('NextKeyMarker', text(answer.nextKeyMarker));
  xml += xmlElement('NextUploadIdMarker', answer.nextUploadIdMarker);
  xml += xmlElement('Prefix', text(asked.prefix));
  if (asked.delimiter !== '') xml += xmlElement('Delimiter', text(asked.delimiter));
  if (asked.urlEncoded) xml += '<EncodingType>url</EncodingType>';
  xml += xmlElement('MaxUploads', asked.maxUploads) + xmlElement('IsTruncated', answer.truncated);
  const whose = `<Initiator>${xmlElement('ID', answer.owner.id)}${xmlElement('DisplayName', answer.owner.displayName)}</Initiator>${owner(answer.owner)}`;
  for (const upload of answer.uploads) {
    xml += `<Upload>${xmlElement('Key', text(upload.key))}${xmlElement('UploadId', upload.uploadId)}${whose}`;
    xml += xmlElement('StorageClass', upload.storageClass ?? 'STANDARD');
    xml += `<Initiated>${formatIsoDate(upload.initiated)}</Initiated></Upload>`;
  }
  for (const prefix of answer.commonPrefixes) {
    xml += `<CommonPrefixes>${xmlElement('Prefix', text(prefix))}</CommonPrefixes>`;
  }
  return `${xml}</ListMultipartUploadsResult>`;
}

export function renderCompleted(answer: UploadCompleted, context: RenderContext, headers: HeaderList): WireResponse {
  if (answer.versionId !== undefined) headers.append('x-amz-version-id', answer.versionId);
  appendVendor(headers, answer.vendor, 's3');
  const body = Buffer.from(XML_DECLARATION + completedElement(answer, context), 'utf8');
  headers.append('Content-Type', 'application/xml').append('Content-Length', String(body.length));
  return { status: 200, headers, body };
}

function completedElement(answer: UploadCompleted, { request }: RenderContext): string {
  const { ref, etag, checksum } = answer;
  const host = request?.headers.get('host');
  const path = request?.target.rawPath ?? `/${ref.bucket}/${percentEncodePath(ref.key)}`;
  const location = host === undefined ? path : `${request?.client.secure === true ? 'https' : 'http'}://${host}${path}`;
  return (
    `<CompleteMultipartUploadResult xmlns="${S3_NAMESPACE}">` +
    xmlElement('Location', location) +
    xmlElement('Bucket', ref.bucket) +
    xmlElement('Key', ref.key) +
    `<ETag>&quot;${etag}&quot;</ETag>` +
    checksumElement(checksum) +
    (checksum === undefined ? '' : xmlElement('ChecksumType', typeName(checksum.parts !== undefined))) +
    '</CompleteMultipartUploadResult>'
  );
}

export function checksumElement(checksum: Checksum | undefined): string {
  return checksum === undefined ? '' : xmlElement(`Checksum${checksum.algorithm}`, checksumText(checksum));
}

export function typeName(composite: boolean): string {
  return composite ? 'COMPOSITE' : 'FULL_OBJECT';
}
