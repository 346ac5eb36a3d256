import { clientError } from '../../../errors.ts';
import type { ListMultipartUploads, ListParts } from '../../../operations/listing.ts';
import type { ObjectRef } from '../../../operations/object.ts';
import type {
  AbortMultipartUpload,
  CompleteMultipartUpload,
  CreateMultipartUpload,
  NamedPart,
  UploadPart,
} from '../../../operations/operation.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import type { QueryList } from '../../../wire/query.ts';
import { neutralPartNumber, SMALLEST_PART_BYTES } from '../vocabulary.ts';
import { dropEncryption, readEncryption } from './encryption-headers.ts';
import { checkHeaders } from './header-rules.ts';
import { isRecord, jsonOf } from './json-document.ts';
import { readObjectMetadata, STORAGE_CLASS_HEADER } from './objects.ts';
import { objectLimit, wholeNumber } from './paging.ts';

const MAX_PART_NUMBER = 10_000;

/** How many parts a listing has at most. The vendor's answer has no sign that more follow, so all are told at once. */
const MOST_PARTS = MAX_PART_NUMBER + 1;

/** The greatest size of the document of a Complete: 10,001 parts with number, ETag, size and date. */
export const MAX_COMPLETE_BYTES = 4 * 1024 * 1024;

/** Reads an InitiateMultipartUpload. @throws GatewayError InvalidArgument, NotImplemented */
export function readInitiate(ref: ObjectRef, headers: HeaderList): CreateMultipartUpload {
  checkHeaders(headers, 'InitiateMultipartUpload', [STORAGE_CLASS_HEADER]);
  const metadata = readObjectMetadata(headers);
  return { kind: 'CreateMultipartUpload', ref, metadata, checksum: undefined, encryption: readEncryption(headers) };
}

/** Reads the upload of a part. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readUploadPart(ref: ObjectRef, query: QueryList, headers: HeaderList): UploadPart {
  checkHeaders(headers, 'UploadMultipart', [STORAGE_CLASS_HEADER]);
  const encryption = readEncryption(headers);
  return { kind: 'UploadPart', ref, uploadId: readUploadId(query), partNumber: readPartNumber(query), encryption };
}

/**
 * Reads the number of a part, which is counted from 0, and returns the gateway's, which is counted from 1.
 * @throws GatewayError InvalidArgument
 */
export function readPartNumber(query: QueryList): number {
  return partNumberOf(query.get('part_number') ?? '');
}

function partNumberOf(given: unknown): number {
  const text = typeof given === 'number' ? String(given) : given;
  if (typeof text === 'string' && /^\d{1,5}$/.test(text) && Number(text) <= MAX_PART_NUMBER) {
    return neutralPartNumber(Number(text));
  }
  throw clientError('InvalidArgument', `part_number must be a whole number from 0 to ${MAX_PART_NUMBER}.`);
}

/**
 * Reads the id of an upload. An empty one would make another request of it at the store.
 * @throws GatewayError NoSuchUpload
 */
export function readUploadId(query: QueryList): string {
  const uploadId = query.get('upload_id') ?? '';
  if (uploadId === '') throw clientError('NoSuchUpload', 'The upload_id must not be empty.');
  return uploadId;
}

/** Reads an AbortMultipartUpload. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readAbort(ref: ObjectRef, query: QueryList, headers: HeaderList): AbortMultipartUpload {
  checkHeaders(headers, 'AbortMultipartUpload');
  dropEncryption(headers);
  return { kind: 'AbortMultipartUpload', ref, uploadId: readUploadId(query) };
}

/** Reads a listing of parts. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readListParts(ref: ObjectRef, query: QueryList, headers: HeaderList): ListParts {
  checkHeaders(headers, 'ListMultipart');
  const marker = wholeNumber(query, 'part_number_marker');
  return {
    kind: 'ListParts',
    ref,
    uploadId: readUploadId(query),
    partNumberMarker: marker === undefined ? 0 : neutralPartNumber(marker),
    maxParts: Math.min(wholeNumber(query, 'limit') ?? MOST_PARTS, MOST_PARTS),
    urlEncoded: false,
    encryption: readEncryption(headers),
  };
}

/** Reads a listing of uploads. @throws GatewayError InvalidArgument, NotImplemented */
export function readListUploads(bucket: string, query: QueryList, headers: HeaderList): ListMultipartUploads {
  checkHeaders(headers, 'ListMultipartUploads');
  return {
    kind: 'ListMultipartUploads',
    bucket,
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    keyMarker: query.get('key_marker') || (query.get('marker') ?? ''),
    uploadIdMarker: query.get('upload_id_marker') ?? '',
    maxUploads: objectLimit(query),
    urlEncoded: false,
  };
}

/**
 * Reads the head of a CompleteMultipartUpload. Its header ETag, in which rclone tells the MD5 of the whole, is not
 * kept: an object's ETag is what the gateway has computed.
 * @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented
 */
export function readCompleteHead(
  ref: ObjectRef,
  query: QueryList,
  headers: HeaderList,
): Omit<CompleteMultipartUpload, 'parts'> {
  checkHeaders(headers, 'CompleteMultipartUpload');
  return {
    kind: 'CompleteMultipartUpload',
    ref,
    uploadId: readUploadId(query),
    smallestPartBytes: SMALLEST_PART_BYTES,
    checksum: undefined,
    composite: undefined,
    plaintextBytes: undefined,
    conditions: {},
    encryption: readEncryption(headers),
  };
}

/**
 * Reads the parts that the body of a Complete names: `{"object_parts":[{"part_number":0,"etag":"…"}]}`. Their ETags
 * may be left out.
 * @throws GatewayError MalformedBody, InvalidArgument
 */
export function readPartList(document: Buffer): NamedPart[] {
  const asked = jsonOf(document);
  const parts = isRecord(asked) ? asked.object_parts : undefined;
  const malformed = clientError('MalformedBody', 'The body must be JSON: {"object_parts":[{"part_number":0}]}.');
  if (!Array.isArray(parts) || parts.length === 0) throw malformed;
  if (parts.length > MOST_PARTS) throw clientError('InvalidArgument', `An upload has at most ${MOST_PARTS} parts.`);
  return parts.map((part: unknown) => {
    if (!isRecord(part)) throw malformed;
    const { etag = null } = part;
    if (etag !== null && typeof etag !== 'string') throw malformed;
    const named = etag?.replaceAll('%22', '"').replace(/^"|"$/g, '');
    return { partNumber: partNumberOf(part.part_number), etag: named || undefined, checksum: undefined };
  });
}
