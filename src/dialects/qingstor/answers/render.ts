import type { GatewayError } from '../../../errors.ts';
import type {
  Answer,
  CrossOriginAnswered,
  DeleteFailure,
  ListedObject,
  ObjectContent,
  ObjectCopied,
  ObjectListing,
  ObjectStored,
  PartCopied,
  PartStored,
  UploadCompleted,
} from '../../../operations/answer.ts';
import type { BucketFound } from '../../../operations/bucket-answers.ts';
import type { StorageClass } from '../../../operations/object.ts';
import { textBody } from '../../../wire/bodies/text-body.ts';
import { formatHttpDate } from '../../../wire/dates.ts';
import { HeaderList } from '../../../wire/headers.ts';
import type { WireResponse } from '../../../wire/message.ts';
import { appendErrorFacts } from '../../error-facts.ts';
import type { RenderContext } from '../../front-dialect.ts';
import { CONTENT_HEADERS } from '../../object-metadata.ts';
import { QINGSTOR_ERRORS } from '../error-table.ts';
import { COPY_RANGE } from '../requests/copies.ts';
import { appendEncryption } from '../requests/encryption-headers.ts';
import { JSON_TYPE, QINGSTOR_VOCABULARY, REQUEST_ID_HEADER, STORAGE_CLASSES, vendorPartNumber } from '../vocabulary.ts';
import { aclDocument, bucketsDocument, statisticsDocument } from './bucket-documents.ts';
import { partsDocument, uploadDocument, uploadsDocument } from './upload-documents.ts';

const [[, STANDARD], [, INFREQUENT]] = STORAGE_CLASSES;

/** Renders an answer as QingStor does. The Go SDK accepts no other status than 201 for a PUT and 204 for a DELETE. */
export function renderQingstor(answer: Answer, context: RenderContext): WireResponse {
  switch (answer.kind) {
    case 'ObjectStored':
    case 'ObjectCopied':
    case 'PartStored':
    case 'UploadCompleted':
      return stored(answer, context);
    case 'PartCopied':
      return stored(answer, context, copiedRange(context));
    case 'ObjectContent':
      return content(answer, context);
    case 'ObjectDeleted':
    case 'BucketDeleted':
    case 'UploadAborted':
      return { status: 204, headers: common(context), body: undefined };
    case 'BucketCreated':
      return empty(201, context, []);
    case 'BucketFound':
      return found(answer, context);
    case 'ObjectsDeleted':
      return json(
        200,
        { deleted: answer.deleted.map(({ key }) => ({ key })), errors: answer.failures.map(failure) },
        context,
      );
    case 'ObjectListing':
      return longJson(listing(answer), context);
    case 'BucketListing':
      return json(200, bucketsDocument(answer, context), context);
    case 'UploadCreated': {
      const answered = json(200, uploadDocument(answer), context);
      appendEncryption(answered.headers, answer.encryption);
      return answered;
    }
    case 'PartListing':
      return json(200, partsDocument(answer), context);
    case 'UploadListing':
      return json(200, uploadsDocument(answer), context);
    case 'CrossOriginAnswered':
      return crossOriginAnswered(answer, context);
    case 'BucketLocation':
    case 'FormStored':
    case 'ObjectAttributes':
    case 'VersionListing':
    case 'BucketEncryptionTold':
    case 'BucketEncryptionSet':
    case 'BucketEncryptionReset':
    case 'BucketPolicyTold':
    case 'BucketPolicyStatusTold':
    case 'BucketPolicyChanged':
      throw new Error(`The QingStor front has no operation that is answered by ${answer.kind}.`);
  }
}

/** Renders the answer to a write. It has no body, and tells the ETag in a header. */
function stored(
  { etag, encryption }: ObjectStored | ObjectCopied | PartStored | PartCopied | UploadCompleted,
  context: RenderContext,
  more: readonly (readonly [string, string])[] = [],
): WireResponse {
  const answered = empty(201, context, [['ETag', `"${etag}"`], ...more]);
  appendEncryption(answered.headers, encryption);
  return answered;
}

/** Tells which bytes of the source a part was copied from. */
function copiedRange({ request }: RenderContext): readonly (readonly [string, string])[] {
  const range = request?.headers.get(COPY_RANGE);
  return range === undefined ? [] : [['X-QS-Content-Copy-Range', range.replace('=', ' ')]];
}

function found(answer: BucketFound, context: RenderContext): WireResponse {
  const { request } = context;
  if (request?.method !== 'GET') return empty(200, context, []);
  return json(200, request.query.has('acl') ? aclDocument(answer) : statisticsDocument(answer, context), context);
}

/** Renders an error as a JSON document with QingStor's code. */
export function renderQingstorError(error: GatewayError, context: RenderContext): WireResponse {
  const { status, code } = QINGSTOR_ERRORS[error.code];
  const method = context.request?.method;
  // A 304 has no body (RFC 9110 §15.4.5). The answer to a HEAD has none either.
  if (status === 304) {
    const headers = common(context);
    appendErrorFacts(headers, error.facts);
    return { status, headers, body: undefined };
  }
  // The Go SDK takes a GET's 412 for an answer, and its body for the object's.
  if (method === 'HEAD' || (method === 'GET' && status === 412)) return empty(status, context, []);
  return json(status, { code, message: messageOf(error), request_id: context.requestId, url: '' }, context);
}

/** The message of an error. Where it speaks of a part, it gives the number that the client knows. */
function messageOf({ message, details }: GatewayError): string {
  const { PartNumber } = details;
  if (PartNumber === undefined) return message;
  const ofClient = String(vendorPartNumber(Number(PartNumber)));
  return message.replace(new RegExp(`\\b(part) ${PartNumber}\\b`, 'i'), `$1 ${ofClient}`);
}

/** Returns the headers that every answer has, but for Date, which node:http adds. */
function common(context: RenderContext): HeaderList {
  return HeaderList.of([
    ['Server', 'Sealgate'],
    [REQUEST_ID_HEADER, context.requestId],
  ]);
}

function empty(status: number, context: RenderContext, more: readonly (readonly [string, string])[]): WireResponse {
  const headers = common(context);
  for (const [name, value] of more) headers.append(name, value);
  headers.append('Content-Length', '0');
  return { status, headers, body: undefined };
}

function crossOriginAnswered({ status, headers: said }: CrossOriginAnswered, context: RenderContext): WireResponse {
  if (status !== 204) return empty(status, context, [...said]);
  const headers = common(context);
  for (const [name, value] of said) headers.append(name, value);
  return { status, headers, body: undefined };
}

function json(status: number, document: unknown, context: RenderContext): WireResponse {
  const body = Buffer.from(JSON.stringify(document), 'utf8');
  const headers = common(context);
  headers.append('Content-Type', JSON_TYPE);
  headers.append('Content-Length', String(body.length));
  return { status, headers, body: context.request?.method === 'HEAD' ? undefined : body };
}

/** Answers with a document that is produced while the client reads it. Only a short one has a Content-Length. */
function longJson(texts: Iterable<string>, context: RenderContext): WireResponse {
  const body = textBody(texts);
  const headers = common(context);
  headers.append('Content-Type', JSON_TYPE);
  if (Buffer.isBuffer(body)) headers.append('Content-Length', String(body.length));
  return { status: 200, headers, body };
}

function content(answer: ObjectContent, context: RenderContext): WireResponse {
  const { facts, range, overrides } = answer;
  const headers = common(context);
  const stored = { ...facts.metadata.content };
  for (const [name, field] of CONTENT_HEADERS) {
    const value = overrides[field] ?? stored[field];
    if (value !== undefined) headers.append(name, value);
  }
  for (const [name, value] of facts.metadata.user) headers.append(QINGSTOR_VOCABULARY.metadataPrefix + name, value);
  headers.append('ETag', `"${facts.etag}"`);
  headers.append('Last-Modified', formatHttpDate(facts.lastModified));
  headers.append('X-QS-Storage-Class', storageClassOf(facts.metadata.traits?.storageClass));
  appendEncryption(headers, facts.encryption);
  headers.append('Accept-Ranges', 'bytes');
  if (range !== undefined)
    headers.append('Content-Range', `bytes ${range.first}-${range.last}/${facts.plaintextBytes}`);
  const length = range === undefined ? facts.plaintextBytes : range.last - range.first + 1;
  if (length !== undefined) headers.append('Content-Length', String(length));
  return { status: range === undefined ? 200 : 206, headers, body: answer.body };
}

/** The vendor's word for a storage class. What it has no word for is told as the usual one. */
function storageClassOf(storageClass: StorageClass = 'standard'): string {
  return STORAGE_CLASSES.find(([name]) => name === storageClass)?.[1] ?? STANDARD;
}

function failure({ key, code, message }: DeleteFailure): object {
  return { key, code: QINGSTOR_ERRORS[code].code, message };
}

/** Yields the JSON document of a listing piece by piece, one object at a time. */
function* listing(answer: ObjectListing): Generator<string, void, void> {
  const { asked } = answer;
  const head = JSON.stringify({
    name: asked.bucket,
    prefix: asked.prefix,
    delimiter: asked.delimiter,
    limit: asked.maxKeys,
    marker: asked.after,
    next_marker: answer.truncated ? (answer.nextMarker ?? '') : '',
    has_more: answer.truncated,
    common_prefixes: answer.commonPrefixes,
    owner: { id: '', name: '' },
  });
  yield `${head.slice(0, -1)},"keys":[`;
  let separator = '';
  for (const object of answer.objects) {
    yield separator + JSON.stringify(listed(object));
    separator = ',';
  }
  yield ']}';
}

function listed(object: ListedObject): object {
  return {
    key: object.key,
    size: object.plaintextBytes,
    etag: `"${object.etag}"`,
    // The backend's listing does not say which type an object has; only a HEAD would.
    mime_type: 'application/octet-stream',
    created: object.lastModified.toISOString(),
    modified: Math.floor(object.lastModified.getTime() / 1000),
    encrypted: false,
    storage_class: object.storageClass?.endsWith('_IA') === true ? INFREQUENT : STANDARD,
  };
}
