import type {
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
import { percentEncode, percentEncodePath } from '../../../../wire/percent.ts';
import { xmlElement } from '../../../../wire/xml/xml.ts';
import type { RenderContext } from '../../../front-dialect.ts';
import { CONTENT_HEADERS } from '../../../object-metadata.ts';
import { completedDocument } from '../../../xml-family/upload-documents.ts';
import { etagElement, opening } from '../../../xml-family/xml-vocabulary.ts';
import { storageClassIn } from '../../traits.ts';
import { OSS_VOCABULARY, objectType, shownEtag } from '../../vocabulary.ts';

/** The Content-Type that OSS tells for an object that was stored without one. */
const DEFAULT_CONTENT_TYPE = 'application/octet-stream';

/**
 * Renders the answer to GetObject, HeadObject or GetObjectMeta.
 * @param context its request says whether only the little that GetObjectMeta tells is wanted
 */
export function renderContent(answer: ObjectContent, headers: HeaderList, { request }: RenderContext): WireResponse {
  const { facts, range, body } = answer;
  const bytes = range === undefined ? facts.plaintextBytes : range.last - range.first + 1;
  if (bytes !== undefined) headers.append('Content-Length', String(bytes));
  headers.append('ETag', quoted(facts.etag)).append('Last-Modified', formatHttpDate(facts.lastModified));
  if (facts.versionId !== undefined) headers.append('x-oss-version-id', facts.versionId);
  if (request?.query.has('objectMeta') === true) return { status: 200, headers, body: undefined };
  if (range !== undefined) {
    headers.append('Content-Range', `bytes ${range.first}-${range.last}/${facts.plaintextBytes}`);
  }
  headers.append('Accept-Ranges', 'bytes');
  appendContentHeaders(headers, answer);
  for (const [name, value] of facts.metadata.user) headers.append(OSS_VOCABULARY.metadataPrefix + name, value);
  headers.append('x-oss-object-type', objectType(facts.etag));
  headers.append('x-oss-storage-class', storageClassIn(facts.metadata));
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
  if (versionId !== undefined) headers.append('x-oss-version-id', versionId);
  return headers.append('ETag', quoted(etag));
}

/** Renders the answer to PutObject or UploadPart. */
export function renderStored(answer: ObjectStored | PartStored, headers: HeaderList): WireResponse {
  if (answer.kind === 'ObjectStored') addStored(answer, headers);
  else headers.append('ETag', quoted(answer.etag));
  return { status: 200, headers: headers.append('Content-Length', '0'), body: undefined };
}

/** Renders the answer to DeleteObject. */
export function renderDeleted(answer: ObjectDeleted, headers: HeaderList): WireResponse {
  if (answer.versionId !== undefined) headers.append('x-oss-version-id', answer.versionId);
  if (answer.deleteMarker) headers.append('x-oss-delete-marker', 'true');
  return { status: 204, headers, body: undefined };
}

/** Appends the headers of the answer to CopyObject or UploadPartCopy. SDKs read the ETag in the header alone. */
export function copiedHeaders(answer: ObjectCopied | PartCopied, headers: HeaderList): HeaderList {
  const { etag, sourceVersionId } = answer;
  if (sourceVersionId !== undefined) headers.append('x-oss-copy-source-version-id', sourceVersionId);
  if (answer.kind === 'ObjectCopied' && answer.versionId !== undefined) {
    headers.append('x-oss-version-id', answer.versionId);
  }
  return headers.append('ETag', quoted(etag));
}

/** The document of the answer to CompleteMultipartUpload. */
export function completedText(answer: UploadCompleted, { request }: RenderContext): string {
  const host = request?.headers.get('host');
  const path = request?.target.rawPath ?? `/${answer.ref.bucket}/${percentEncodePath(answer.ref.key)}`;
  const scheme = request?.client.secure === true ? 'https' : 'http';
  return completedDocument(answer, host === undefined ? path : `${scheme}://${host}${path}`, OSS_VOCABULARY);
}

/** Renders the answer to a form upload as the form asked: a redirect, a bare status, or 201 with a document. */
export function renderForm(
  { stored, reply }: FormStored,
  headers: HeaderList,
  { request }: RenderContext,
): WireResponse {
  const { bucket, key } = stored.ref;
  addStored(stored, headers);
  if (reply.redirect !== undefined) {
    const target = new URL(reply.redirect);
    const told = { bucket, key, etag: quoted(stored.etag) };
    const pieces = Object.entries(told).map(([name, value]) => `${name}=${percentEncode(value)}`);
    target.search = [...(target.search === '' ? [] : [target.search.slice(1)]), ...pieces].join('&');
    return {
      status: 303,
      headers: headers.append('Location', target.href).append('Content-Length', '0'),
      body: undefined,
    };
  }
  if (reply.status === 204) return { status: 204, headers, body: undefined };
  if (reply.status === 200) return { status: 200, headers: headers.append('Content-Length', '0'), body: undefined };
  const scheme = request?.client.secure === true ? 'https' : 'http';
  const location = `${scheme}://${request?.headers.get('host') ?? ''}/${percentEncodePath(key)}`;
  const document =
    `${opening('PostResponse', OSS_VOCABULARY)}${xmlElement('Bucket', bucket)}${etagElement(stored.etag, OSS_VOCABULARY)}` +
    `${xmlElement('Key', key)}${xmlElement('Location', location)}</PostResponse>`;
  const body = Buffer.from(document, 'utf8');
  headers.append('Content-Type', 'application/xml').append('Content-Length', String(body.length));
  return { status: 201, headers, body };
}

function quoted(etag: string): string {
  return `"${shownEtag(etag)}"`;
}
