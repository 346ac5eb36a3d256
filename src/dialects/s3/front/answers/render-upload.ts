import type { PartStored, UploadCompleted } from '../../../../operations/answer.ts';
import type { AskedChecksum } from '../../../../operations/object.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireResponse } from '../../../../wire/message.ts';
import { percentEncodePath } from '../../../../wire/percent.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { appendVendor } from '../../../vendor-headers.ts';
import { completedDocument } from '../../../xml-family/upload-documents.ts';
import { checksumType } from '../../checksum.ts';
import { S3_VOCABULARY } from '../../vocabulary.ts';
import { appendChecksum } from './render-object.ts';

/** Appends which checksum the object of a new upload will have. */
export function appendAskedChecksum(headers: HeaderList, checksum: AskedChecksum | undefined): HeaderList {
  if (checksum === undefined) return headers;
  headers.append('x-amz-checksum-algorithm', checksum.algorithm);
  return headers.append('x-amz-checksum-type', checksumType(checksum.composite));
}

/** Renders the answer to UploadPart. */
export function renderPartStored(answer: PartStored, headers: HeaderList): WireResponse {
  headers.append('Content-Length', '0').append('ETag', `"${answer.etag}"`);
  appendChecksum(headers, answer.checksum, { withType: false });
  return { status: 200, headers, body: undefined };
}

/** Renders the answer to CompleteMultipartUpload. */
export function renderCompleted(answer: UploadCompleted, context: RenderContext, headers: HeaderList): WireResponse {
  if (answer.versionId !== undefined) headers.append('x-amz-version-id', answer.versionId);
  appendVendor(headers, answer.vendor, 's3');
  const body = Buffer.from(completedDocument(answer, locationOf(answer, context), S3_VOCABULARY), 'utf8');
  headers.append('Content-Type', 'application/xml').append('Content-Length', String(body.length));
  return { status: 200, headers, body };
}

/** The URL of the completed object: that of the request, without its query. */
function locationOf({ ref }: UploadCompleted, { request }: RenderContext): string {
  const host = request?.headers.get('host');
  const path = request?.target.rawPath ?? `/${ref.bucket}/${percentEncodePath(ref.key)}`;
  return host === undefined ? path : `${request?.client.secure === true ? 'https' : 'http'}://${host}${path}`;
}
