import type {
  Answer,
  FormStored,
  ObjectContent,
  ObjectCopied,
  ObjectDeleted,
  ObjectStored,
  PartCopied,
  PartStored,
  UploadCompleted,
} from '../../../../operations/answer.ts';
import { formatHttpDate } from '../../../../wire/dates.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { WireResponse } from '../../../../wire/message.ts';
import { percentEncodePath } from '../../../../wire/percent.ts';
import { xmlElement } from '../../../../wire/xml/xml.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { CONTENT_HEADERS } from '../../../object-metadata.ts';
import { copiedDocument } from '../../../xml-family/copy-documents.ts';
import { completedDocument } from '../../../xml-family/upload-documents.ts';
import { etagElement, opening } from '../../../xml-family/xml-vocabulary.ts';
import { storageClassIn } from '../../traits.ts';
import { COS_VOCABULARY } from '../../vocabulary.ts';

/** The Content-Type that COS tells for an object that was stored without one. */
const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/** Renders the answer to GetObject or HeadObject. */
export function renderContent(answer: ObjectContent, headers: HeaderList): WireResponse {
  const { facts, range, body } = answer;
  const bytes = range === undefined ? facts.plaintextBytes : range.last - range.first + 1;
  if (bytes !== undefined) headers.append('Content-Length', String(bytes));
  headers.append('ETag', `"${facts.etag}"`).append('Last-Modified', formatHttpDate(facts.lastModified));
  if (facts.versionId !== undefined) headers.append('x-cos-version-id', facts.versionId);
  if (range !== undefined) {
    headers.append('Content-Range', `bytes ${range.first}-${range.last}/${facts.plaintextBytes}`);
  }
  headers.append('Accept-Ranges', 'bytes');
  appendContentHeaders(headers, answer);
  for (const [name, value] of facts.metadata.user) headers.append(COS_VOCABULARY.metadataPrefix + name, value);
  const storageClass = storageClassIn(facts.metadata);
  // COS tells the class of none but the objects of another class than STANDARD.
  if (storageClass !== COS_VOCABULARY.standardClass) headers.append('x-cos-storage-class', storageClass);
  return { status: range === undefined ? 200 : 206, headers, body };
}

function appendContentHeaders(headers: HeaderList, { facts, overrides }: ObjectContent): void {
  const stored = { contentType: DEFAULT_CONTENT_TYPE, ...definedOf(facts.metadata.content), ...definedOf(overrides) };
  for (const [name, field] of CONTENT_HEADERS) {
    const value = (stored as Readonly<Partial<Record<typeof field, string>>>)[field];
    if (value !== undefined) headers.append(headerCase(name), value);
  }
}

function definedOf<Fields extends object>(fields: Fields): Partial<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<Fields>;
}

function headerCase(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** Appends the headers that tell of a stored object: ETag and version. */
export function addStored({ etag, versionId }: ObjectStored | UploadCompleted, headers: HeaderList): HeaderList {
  if (versionId !== undefined) headers.append('x-cos-version-id', versionId);
  return headers.append('ETag', `"${etag}"`);
}

/** Renders the answer to PutObject or UploadPart. */
export function renderStored(answer: ObjectStored | PartStored, headers: HeaderList): WireResponse {
  if (answer.kind === 'ObjectStored') addStored(answer, headers);
  else headers.append('ETag', `"${answer.etag}"`);
  return { status: 200, headers: headers.append('Content-Length', '0'), body: undefined };
}

/** Renders the answer to DeleteObject. */
export function renderDeleted(answer: ObjectDeleted, headers: HeaderList): WireResponse {
  if (answer.versionId !== undefined) headers.append('x-cos-version-id', answer.versionId);
  if (answer.deleteMarker) headers.append('x-cos-delete-marker', 'true');
  return { status: 204, headers, body: undefined };
}

/** The CRC-64 of the plaintext, in decimal digits. The SDK for Go takes a write without one for failed. */
export function crc64Of(answer: Answer): string | undefined {
  const told = answer.kind === 'ObjectContent' ? answer.facts : answer.kind === 'FormStored' ? answer.stored : answer;
  return 'crc64' in told ? told.crc64?.readBigUInt64BE().toString() : undefined;
}

/** The document of the answer to PutObjectCopy. */
export function copiedText(answer: ObjectCopied, crc64: string | undefined): string {
  const more = xmlElement('CRC64', crc64) + xmlElement('VersionId', answer.versionId);
  return copiedDocument(answer, COS_VOCABULARY, more);
}

/** Appends the headers of the answer to PutObjectCopy or UploadPartCopy. */
export function copiedHeaders(answer: ObjectCopied | PartCopied, headers: HeaderList): HeaderList {
  const { sourceVersionId } = answer;
  if (sourceVersionId !== undefined) headers.append('x-cos-copy-source-version-id', sourceVersionId);
  if (answer.kind === 'ObjectCopied' && answer.versionId !== undefined) {
    headers.append('x-cos-version-id', answer.versionId);
  }
  return headers;
}

/** The document of the answer to CompleteMultipartUpload. */
export function completedText(answer: UploadCompleted, context: RenderContext): string {
  return completedDocument(answer, locationOf(answer.ref, context), COS_VOCABULARY);
}

function locationOf(ref: ObjectStored['ref'], { request }: RenderContext): string {
  const host = request?.headers.get('host');
  const path = request?.target.rawPath ?? `/${ref.bucket}/${percentEncodePath(ref.key)}`;
  const scheme = request?.client.secure === true ? 'https' : 'http';
  return host === undefined ? path : `${scheme}://${host}${path}`;
}

/** Renders the answer to a form upload as the form asked: a redirect to another page, or a status. */
export function renderForm({ stored, reply }: FormStored, headers: HeaderList, context: RenderContext): WireResponse {
  addStored(stored, headers);
  const { bucket, key } = stored.ref;
  if (reply.redirect !== undefined) {
    const target = new URL(reply.redirect);
    target.searchParams.append('bucket', bucket);
    target.searchParams.append('key', key);
    target.searchParams.append('etag', `"${stored.etag}"`);
    return {
      status: 303,
      headers: headers.append('Location', target.href).append('Content-Length', '0'),
      body: undefined,
    };
  }
  const location = `${locationOf(stored.ref, context)}`;
  headers.append('Location', location);
  if (reply.status !== 201) {
    return { status: reply.status, headers: headers.append('Content-Length', '0'), body: undefined };
  }
  const xml =
    `${opening('PostResponse', COS_VOCABULARY)}${xmlElement('Location', location)}${xmlElement('Bucket', bucket)}` +
    `${xmlElement('Key', key)}${etagElement(stored.etag, COS_VOCABULARY)}</PostResponse>`;
  const body = Buffer.from(xml, 'utf8');
  headers.append('Content-Type', 'application/xml').append('Content-Length', String(body.length));
  return { status: 201, headers, body };
}
