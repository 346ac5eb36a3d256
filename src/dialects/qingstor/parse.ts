import { clientError } from '../../errors.ts';
import type { ListObjects } from '../../operations/listing.ts';
import type { ObjectMetadata } from '../../operations/object.ts';
import type { DeleteTarget, GetObject, Operation } from '../../operations/operation.ts';
import type { Conditions } from '../../wire/conditions.ts';
import type { WireRequest } from '../../wire/message.ts';
import { parseRange } from '../../wire/range.ts';
import type { FrontSettings, ParsedRequest } from '../front-dialect.ts';
import { contentHeaders, userMetadata } from '../object-metadata.ts';
import { OVERRIDE_NAMES, readOverrides } from '../response-overrides.ts';
import { checkKey, readAddress } from './address.ts';
import { bucketPage, objectLimit } from './paging.ts';
import { QINGSTOR_VOCABULARY, STORAGE_CLASS } from './vocabulary.ts';

/** The greatest size of a deletion's document: 1,000 keys of 1,024 bytes, with every byte written as `\uXXXX`. */
const MAX_DELETE_BYTES = 8 * 1024 * 1024;
const MAX_DELETE_TARGETS = 1000;

/** Refuses invalid UTF-8. A decoder that replaces it would make another key of it, and that object would be deleted. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** Query parameters that any request may have, because they belong to its signature. */
const AUTHENTICATION = ['access_key_id', 'expires', 'signature'];
const LISTING = ['prefix', 'delimiter', 'marker', 'limit'];

/** The x-qs-* headers that a request may have beside user metadata. None of them changes what it asks for. */
const HARMLESS_HEADERS = ['x-qs-date', 'x-qs-storage-class', 'x-qs-metadata'];

/**
 * Reads what a QingStor request asks for.
 * @throws GatewayError NotImplemented for everything but buckets and whole objects
 */
export function parseQingstor(request: WireRequest, settings: FrontSettings): ParsedRequest {
  const { bucket, key } = readAddress(request, settings);
  if (bucket === '') return ready(service(request));
  if (key === '') return bucketRequest(request, bucket);
  return ready(objectRequest(request, bucket, key));
}

function ready(operation: Operation): ParsedRequest {
  return { kind: 'ready', operation };
}

function service(request: WireRequest): Operation {
  expectOnly(request, ['offset', 'limit']);
  bucketPage(request.query); // The answer reads the page from the query again; bad values must be refused before.
  if (request.method === 'GET') return { kind: 'ListBuckets', prefix: '' };
  throw notImplemented(request, 'the service');
}

function bucketRequest(request: WireRequest, bucket: string): ParsedRequest {
  if (request.method === 'POST' && request.query.has('delete')) {
    expectOnly(request, ['delete']);
    const read = (document: Buffer): Operation => readDelete(bucket, document);
    return { kind: 'document', name: 'DeleteObjects', bucket, maxBytes: MAX_DELETE_BYTES, read };
  }
  expectOnly(request, request.method === 'GET' ? LISTING : []);
  switch (request.method) {
    case 'GET':
      return ready(listing(request, bucket));
    case 'HEAD':
      return ready({ kind: 'HeadBucket', bucket });
    case 'PUT':
      return ready({ kind: 'CreateBucket', bucket, location: undefined });
    case 'DELETE':
      return ready({ kind: 'DeleteBucket', bucket });
    default:
      throw notImplemented(request, 'a bucket');
  }
}

function objectRequest(request: WireRequest, bucket: string, key: string): Operation {
  const ref = { bucket, key };
  const conditions = conditionsOf(request);
  refuseUnknownHeaders(request);
  expectOnly(request, request.method === 'GET' ? OVERRIDE_NAMES : []);
  switch (request.method) {
    case 'PUT':
      return { kind: 'PutObject', ref, metadata: metadataOf(request), conditions };
    case 'GET':
      return { kind: 'GetObject', ...reading(request, bucket, key), conditions };
    case 'HEAD':
      return { kind: 'HeadObject', ...reading(request, bucket, key), conditions };
    case 'DELETE':
      return { kind: 'DeleteObject', ref, conditions: {} };
    default:
      throw notImplemented(request, 'an object');
  }
}

function reading(request: WireRequest, bucket: string, key: string): Omit<GetObject, 'kind' | 'conditions'> {
  return {
    ref: { bucket, key },
    range: parseRange(request.headers.get('range')),
    ifRange: unescaped(request.headers.get('if-range')),
    overrides: readOverrides(request.query),
    wantsChecksum: false,
  };
}

function conditionsOf(request: WireRequest): Conditions {
  const { headers } = request;
  return {
    ifMatch: unescaped(headers.get('if-match')),
    ifNoneMatch: unescaped(headers.get('if-none-match')),
    ifModifiedSince: unescaped(headers.get('if-modified-since')),
    ifUnmodifiedSince: unescaped(headers.get('if-unmodified-since')),
  };
}

/**
 * Undoes what qingstor-sdk 3.1.4 does to header values: it applies encodeURI, which escapes the quotes of an ETag and
 * the blanks of a date. A condition whose date cannot be read would be ignored (RFC 9110 §13.1.3).
 */
function unescaped(value: string | undefined): string | undefined {
  return value?.replaceAll('%22', '"').replaceAll('%20', ' ');
}

function metadataOf({ headers }: WireRequest): ObjectMetadata {
  return { content: contentHeaders(headers), user: userMetadata(headers, QINGSTOR_VOCABULARY) };
}

function listing(request: WireRequest, bucket: string): ListObjects {
  const { query } = request;
  return {
    kind: 'ListObjects',
    bucket,
    form: 1,
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    after: query.get('marker') ?? '',
    continuationToken: undefined,
    maxKeys: objectLimit(query),
    urlEncoded: false,
    withOwner: false,
  };
}

function readDelete(bucket: string, document: Buffer): Operation {
  const asked = jsonOf(document);
  const objects = isRecord(asked) ? asked.objects : undefined;
  const malformed = clientError('MalformedBody', 'The body must be JSON: {"objects":[{"key":"…"}],"quiet":false}.');
  if (!isRecord(asked) || !Array.isArray(objects)) throw malformed;
  if (objects.length > MAX_DELETE_TARGETS) {
    throw clientError('InvalidArgument', `At most ${MAX_DELETE_TARGETS} objects can be deleted in one request.`);
  }
  const targets: DeleteTarget[] = objects.map((object: unknown) => {
    if (!isRecord(object) || typeof object.key !== 'string' || object.key === '') throw malformed;
    checkKey(object.key);
    return { key: object.key };
  });
  return { kind: 'DeleteObjects', bucket, targets, quiet: asked.quiet === true };
}

function jsonOf(document: Buffer): unknown {
  try {
    return JSON.parse(strictUtf8.decode(document));
  } catch (cause) {
    throw clientError('MalformedBody', 'The body is not valid JSON.', { cause });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Refuses query parameters that are not known here, because they may ask for something else. */
function expectOnly(request: WireRequest, known: readonly string[]): void {
  for (const { name } of request.query.parameters) {
    if (known.includes(name) || AUTHENTICATION.includes(name) || name === '') continue;
    throw clientError('NotImplemented', `This gateway does not handle the query parameter ${name} here.`);
  }
}

/** Refuses x-qs-* headers that are not known here. Those of copy, move, fetch and encryption ask for something else. */
function refuseUnknownHeaders(request: WireRequest): void {
  for (const [name, value] of request.headers) {
    const lower = name.toLowerCase();
    if (!lower.startsWith('x-qs-') || lower.startsWith(QINGSTOR_VOCABULARY.metadataPrefix)) continue;
    if (!HARMLESS_HEADERS.includes(lower)) {
      throw clientError('NotImplemented', `This gateway does not handle the header ${lower}.`);
    }
    if (lower === 'x-qs-storage-class' && value !== STORAGE_CLASS) {
      throw clientError('NotImplemented', `The only storage class here is ${STORAGE_CLASS}.`);
    }
  }
}

function notImplemented(request: WireRequest, what: string): Error {
  return clientError('NotImplemented', `This gateway does not handle ${request.method} on ${what} here.`);
}
