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

/** Room for 1,000 keys of 1,024 bytes, with every byte written as `\uXXXX`. */
const MAX_DELETE_BYTES = 8 * 1024 * 1024;
const MAX_DELETE_TARGETS = 1000;

/** A lossy decoding would delete another key. */
const strictUtf8 = new TextDecoder('utf-8', { fatal: true });

/** The query names of authentication, which say nothing of what is asked. Each operation reads further names itself. */
const AUTHENTICATION = ['access_key_id', 'expires', 'signature'];
const LISTING = ['prefix', 'delimiter', 'marker', 'limit'];

/** x-qs-* headers that a PUT may carry without asking for more than bytes with metadata. */
const HARMLESS_HEADERS = ['x-qs-date', 'x-qs-storage-class', 'x-qs-metadata'];

/** @throws GatewayError NotImplemented for everything but buckets and whole objects */
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
  bucketPage(request.query); // refuses what could not be read later, when the answer's page is cut out
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
 * qingstor-sdk 3.1.4 runs header values through encodeURI: quotes of an ETag and blanks of a date arrive escaped.
 * A condition whose date cannot be read is ignored (RFC 9110 §13.1.3), so they must be put back.
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

/** Refuses a sub-resource or parameter that this file does not read, because it may ask for something else. */
function expectOnly(request: WireRequest, known: readonly string[]): void {
  for (const { name } of request.query.parameters) {
    if (known.includes(name) || AUTHENTICATION.includes(name) || name === '') continue;
    throw clientError('NotImplemented', `This gateway does not handle the query parameter ${name} here.`);
  }
}

/** Copy, move, fetch and encryption headers ask for more than a plain request; they come with their own operations. */
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
