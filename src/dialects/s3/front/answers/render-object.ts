import type { ObjectContent, ObjectDeleted, ObjectStored } from '../../../../operations/answer.ts';
import type { Checksum, ContentHeaders } from '../../../../operations/object.ts';
import type { ResponseOverrides } from '../../../../operations/operation.ts';
import { formatHttpDate } from '../../../../wire/dates.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireResponse } from '../../../../wire/message.ts';
import { appendVendor } from '../../../vendor-headers.ts';
import { CHECKSUMS, checksumText } from '../../checksum.ts';
import { appendToldTraits } from '../../traits.ts';
import { S3_VOCABULARY } from '../../vocabulary.ts';

/** The Content-Type that S3 tells for an object that was stored without one. */
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

/** Renders the answer to GetObject or HeadObject. */
export function renderContent(answer: ObjectContent, headers: HeaderList): WireResponse {
  const { facts, range, overrides, body } = answer;
  const bytes = range === undefined ? facts.plaintextBytes : range.last - range.first + 1;
  if (bytes !== undefined) headers.append('Content-Length', String(bytes));
  if (answer.partsCount !== undefined) headers.append('x-amz-mp-parts-count', String(answer.partsCount));
  // Content-Range cannot describe a range without bytes (RFC 9110 §14.4). MinIO sends none in this case either.
  if (range !== undefined && bytes !== 0) {
    headers.append('Content-Range', `bytes ${range.first}-${range.last}/${facts.plaintextBytes}`);
  }
  headers.append('Accept-Ranges', 'bytes');
  headers.append('ETag', `"${facts.etag}"`);
  headers.append('Last-Modified', formatHttpDate(facts.lastModified));
  appendContentHeaders(headers, facts.metadata.content, overrides);
  for (const [name, value] of facts.metadata.user) headers.append(S3_VOCABULARY.metadataPrefix + name, value);
  appendVendor(headers, facts.metadata.vendor, 's3');
  appendToldTraits(headers, facts.metadata);
  if (facts.versionId !== undefined) headers.append('x-amz-version-id', facts.versionId);
  // The checksum covers the whole object. SDKs would compare it with the bytes of a range, and report a corruption.
  if (range === undefined) appendChecksum(headers, facts.checksum);
  return { status: range === undefined ? 200 : 206, headers, body };
}

/** Renders the answer to PutObject. */
export function renderStored(answer: ObjectStored, headers: HeaderList): WireResponse {
  headers.append('Content-Length', '0');
  addStored(answer, headers);
  return { status: 200, headers, body: undefined };
}

/** Appends the headers that tell of a stored object: ETag, version, checksum. */
export function addStored(answer: ObjectStored, headers: HeaderList): void {
  headers.append('ETag', `"${answer.etag}"`);
  if (answer.versionId !== undefined) headers.append('x-amz-version-id', answer.versionId);
  appendChecksum(headers, answer.checksum);
  appendVendor(headers, answer.vendor, 's3');
}

/** Renders the answer to DeleteObject. */
export function renderDeleted(answer: ObjectDeleted, headers: HeaderList): WireResponse {
  if (answer.versionId !== undefined) headers.append('x-amz-version-id', answer.versionId);
  if (answer.deleteMarker) headers.append('x-amz-delete-marker', 'true');
  return { status: 204, headers, body: undefined };
}

function appendContentHeaders(headers: HeaderList, content: ContentHeaders, overrides: ResponseOverrides): void {
  const append = (name: string, value: string | undefined) => {
    if (value !== undefined) headers.append(name, value);
  };
  append('Content-Type', overrides.contentType ?? content.contentType ?? DEFAULT_CONTENT_TYPE);
  append('Cache-Control', overrides.cacheControl ?? content.cacheControl);
  append('Content-Disposition', overrides.contentDisposition ?? content.contentDisposition);
  append('Content-Encoding', overrides.contentEncoding ?? content.contentEncoding);
  append('Content-Language', overrides.contentLanguage ?? content.contentLanguage);
  append('Expires', overrides.expires ?? content.expires);
}

/**
 * Appends a checksum.
 * @param options `withType` is false for the checksum of a part, which has no type: only an object's can be composite
 */
export function appendChecksum(
  headers: HeaderList,
  checksum: Checksum | undefined,
  { withType = true }: { readonly withType?: boolean } = {},
): void {
  if (checksum === undefined) return;
  headers.append(CHECKSUMS[checksum.algorithm].header, checksumText(checksum));
  if (withType) headers.append('x-amz-checksum-type', checksum.parts === undefined ? 'FULL_OBJECT' : 'COMPOSITE');
}
