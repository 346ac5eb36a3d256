import { createHash } from 'node:crypto';
import type { ObjectMetadata, VendorHeaders } from '../../../operations/object.ts';
import type {
  DeleteTarget,
  ListMultipartUploads,
  ListObjects,
  ListObjectVersions,
} from '../../../operations/operation.ts';
import type { Conditions } from '../../../wire/conditions.ts';
import { HeaderList } from '../../../wire/headers.ts';
import type { OutgoingBody, OutgoingRequest } from '../../../wire/message.ts';
import { percentEncode, percentEncodePath } from '../../../wire/percent.ts';
import { XML_DECLARATION, xmlElement } from '../../../wire/xml/xml.ts';
import type { ForStore, Identifier, StoreBucket, StoreLocation, StoreRef, StoreUploadId } from '../../identifiers.ts';
import type { CompletedPart, StoreGet, StorePut } from '../../store-exchange.ts';
import { vendorHeadersFor } from '../../vendor-headers.ts';
import { encodeMetadataValue } from '../encoded-word.ts';
import { appendTraits } from '../traits.ts';
import { setsLock, withChecksum } from './checksum-headers.ts';

/**
 * The S3 requests that the gateway sends, path style: a bucket's name need not resolve, nor match a certificate.
 * Queries are rendered in the order that SigV4 sorts them into.
 */

export const META_PREFIX = 'x-amz-meta-';
const XMLNS = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** Of a client's words only those that a grammar made; the others are this file's own. */
type QueryValue = Identifier | number | '' | 'url' | 'true' | undefined;
type Query = readonly (readonly [name: string, value: QueryValue])[];

export function renderPut({ ref, metadata, conditions, body }: ForStore<StorePut>): OutgoingRequest {
  const headers = metadataHeaders(metadata);
  addWriteConditions(headers, conditions);
  const sent = setsLock(headers) ? withChecksum(body, headers) : body;
  return { method: 'PUT', path: objectPath(ref), headers, body: sent, idempotent: isUnconditional(conditions) };
}

/** Sent twice, a conditional write meets what its own first copy did, and fails: so only plain ones may be. */
function isUnconditional({ ifMatch, ifNoneMatch }: Conditions): boolean {
  return ifMatch === undefined && ifNoneMatch === undefined;
}

export function renderGet(
  method: 'GET' | 'HEAD',
  { ref, range, part, conditions }: ForStore<StoreGet>,
): OutgoingRequest {
  const headers = new HeaderList();
  if (range !== undefined) headers.append('range', rangeHeader(range));
  addWriteConditions(headers, conditions);
  if (conditions.ifModifiedSince !== undefined) headers.append('if-modified-since', conditions.ifModifiedSince);
  if (conditions.ifUnmodifiedSince !== undefined) headers.append('if-unmodified-since', conditions.ifUnmodifiedSince);
  const query = [
    ['partNumber', part],
    ['versionId', ref.versionId],
  ] as const;
  return { method, path: objectPath(ref, query), headers, body: undefined, idempotent: true };
}

export function renderDelete(ref: StoreRef, conditions: Conditions, vendor?: VendorHeaders): OutgoingRequest {
  const headers = vendorHeadersFor('s3', vendor);
  addWriteConditions(headers, conditions);
  const request = bodiless('DELETE', objectPath(ref, [['versionId', ref.versionId]]), headers);
  return { ...request, idempotent: isUnconditional(conditions) };
}

export function renderDeleteMany(
  bucket: StoreBucket,
  targets: readonly ForStore<DeleteTarget>[],
  vendor?: VendorHeaders,
): OutgoingRequest {
  const objects = targets.map(
    ({ key, versionId, etag }) =>
      `<Object>${xmlElement('Key', key)}${xmlElement('VersionId', versionId)}${xmlElement('ETag', etag)}</Object>`,
  );
  const body = Buffer.from(`${XML_DECLARATION}<Delete xmlns="${XMLNS}">${objects.join('')}</Delete>`, 'utf8');
  // S3 demands Content-MD5 or a checksum of its own on this request.
  const md5 = createHash('md5').update(body).digest('base64');
  const headers = vendorHeadersFor('s3', vendor).append('content-type', 'application/xml').append('content-md5', md5);
  // Sent twice, a conditional deletion fails of what its own first copy did.
  const idempotent = targets.every(({ etag }) => etag === undefined);
  return { method: 'POST', path: bucketPath(bucket, [['delete', '']]), headers, body, idempotent };
}

export function renderList(asked: ForStore<ListObjects>): OutgoingRequest {
  const paging: Query =
    asked.form === 2
      ? [
          ['continuation-token', asked.continuationToken],
          ['delimiter', optional(asked.delimiter)],
          ['encoding-type', 'url'],
          ['fetch-owner', asked.withOwner ? 'true' : undefined],
          ['list-type', 2],
          ['max-keys', asked.maxKeys],
          ['prefix', optional(asked.prefix)],
          ['start-after', optional(asked.after)],
        ]
      : [
          ['delimiter', optional(asked.delimiter)],
          ['encoding-type', 'url'],
          ['marker', optional(asked.after)],
          ['max-keys', asked.maxKeys],
          ['prefix', optional(asked.prefix)],
        ];
  return bodiless('GET', bucketPath(asked.bucket, paging));
}

export function renderListVersions(asked: ForStore<ListObjectVersions>): OutgoingRequest {
  return bodiless(
    'GET',
    bucketPath(asked.bucket, [
      ['delimiter', optional(asked.delimiter)],
      ['encoding-type', 'url'],
      ['key-marker', optional(asked.keyMarker)],
      ['max-keys', asked.maxKeys],
      ['prefix', optional(asked.prefix)],
      ['version-id-marker', optional(asked.versionIdMarker)],
      ['versions', ''],
    ]),
  );
}

export function renderCreateBucket(
  bucket: StoreBucket,
  location: StoreLocation | undefined,
  vendor?: VendorHeaders,
): OutgoingRequest {
  const headers = vendorHeadersFor('s3', vendor);
  const body =
    location === undefined
      ? undefined
      : Buffer.from(
          `${XML_DECLARATION}<CreateBucketConfiguration xmlns="${XMLNS}">` +
            `${xmlElement('LocationConstraint', location)}</CreateBucketConfiguration>`,
        );
  if (body !== undefined) headers.append('content-type', 'application/xml');
  // Sent twice, it would answer that the bucket exists already.
  return { method: 'PUT', path: bucketPath(bucket), headers, body, idempotent: false };
}

export function renderCreateUpload(ref: StoreRef, metadata: ObjectMetadata): OutgoingRequest {
  return {
    method: 'POST',
    path: objectPath(ref, [['uploads', '']]),
    headers: metadataHeaders(metadata),
    body: undefined,
    idempotent: false,
  };
}

export function renderUploadPart(
  ref: StoreRef,
  uploadId: StoreUploadId,
  partNumber: number,
  body: OutgoingBody,
): OutgoingRequest {
  const path = objectPath(ref, [
    ['partNumber', partNumber],
    ['uploadId', uploadId],
  ]);
  return { method: 'PUT', path, headers: new HeaderList(), body, idempotent: true };
}

/** The footer's number, which is the gateway's: a store that takes it all the same has nothing of the client's under it. */
const IMPOSSIBLE_PART_NUMBER = 10_000;
/** MD5 of nothing. */
const EMPTY_MD5 = '1B2M2Y8AsgTpgAmY7PhCfg==';

export function renderImpossiblePart(ref: StoreRef, uploadId: StoreUploadId): OutgoingRequest {
  const request = renderUploadPart(ref, uploadId, IMPOSSIBLE_PART_NUMBER, Buffer.from('?'));
  request.headers.append('content-md5', EMPTY_MD5);
  return request;
}

export function renderCompleteUpload(
  ref: StoreRef,
  uploadId: StoreUploadId,
  parts: readonly CompletedPart[],
  conditions: Conditions,
): OutgoingRequest {
  const listed = parts.map(
    ({ partNumber, etag }) => `<Part>${xmlElement('PartNumber', partNumber)}${xmlElement('ETag', `"${etag}"`)}</Part>`,
  );
  const headers = new HeaderList(['content-type', 'application/xml']);
  addWriteConditions(headers, conditions);
  return {
    method: 'POST',
    path: objectPath(ref, [['uploadId', uploadId]]),
    headers,
    body: Buffer.from(
      `${XML_DECLARATION}<CompleteMultipartUpload xmlns="${XMLNS}">${listed.join('')}</CompleteMultipartUpload>`,
    ),
    idempotent: false,
  };
}

export function renderAbortUpload(ref: StoreRef, uploadId: StoreUploadId): OutgoingRequest {
  return bodiless('DELETE', objectPath(ref, [['uploadId', uploadId]]));
}

export function renderListParts(ref: StoreRef, uploadId: StoreUploadId, partNumberMarker: number): OutgoingRequest {
  return bodiless(
    'GET',
    objectPath(ref, [
      ['max-parts', 1_000],
      ['part-number-marker', partNumberMarker],
      ['uploadId', uploadId],
    ]),
  );
}

export function renderListUploads(asked: ForStore<ListMultipartUploads>): OutgoingRequest {
  return bodiless(
    'GET',
    bucketPath(asked.bucket, [
      ['delimiter', optional(asked.delimiter)],
      ['encoding-type', 'url'],
      ['key-marker', optional(asked.keyMarker)],
      ['max-uploads', asked.maxUploads],
      ['prefix', optional(asked.prefix)],
      ['upload-id-marker', optional(asked.uploadIdMarker)],
      ['uploads', ''],
    ]),
  );
}

export function bodiless(method: 'GET' | 'HEAD' | 'DELETE', path: string, headers = new HeaderList()): OutgoingRequest {
  return { method, path, headers, body: undefined, idempotent: true };
}

export function bucketPath(bucket: StoreBucket, query: Query = []): string {
  return `/${percentEncode(bucket)}${queryText(query)}`;
}

export function objectPath(ref: StoreRef, query: Query = []): string {
  return `/${percentEncode(ref.bucket)}/${percentEncodePath(ref.key)}${queryText(query)}`;
}

function queryText(query: Query): string {
  let text = '';
  for (const [name, value] of query) {
    if (value === undefined) continue;
    text += `${text === '' ? '?' : '&'}${name}=${percentEncode(String(value))}`;
  }
  return text;
}

function optional<Text extends string>(text: Text): Text | undefined {
  return text === '' ? undefined : text;
}

function rangeHeader(range: NonNullable<StoreGet['range']>): string {
  return 'suffixBytes' in range ? `bytes=-${range.suffixBytes}` : `bytes=${range.first}-${range.last ?? ''}`;
}

function addWriteConditions(headers: HeaderList, conditions: Conditions): void {
  if (conditions.ifMatch !== undefined) headers.append('if-match', conditions.ifMatch);
  if (conditions.ifNoneMatch !== undefined) headers.append('if-none-match', conditions.ifNoneMatch);
}

/** @throws GatewayError NotImplemented for a setting of another dialect that S3 has no header for */
export function metadataHeaders({ content, user, vendor, traits }: ObjectMetadata): HeaderList {
  const headers = vendorHeadersFor('s3', vendor);
  appendTraits(headers, traits);
  if (content.contentType !== undefined) headers.append('content-type', content.contentType);
  if (content.cacheControl !== undefined) headers.append('cache-control', content.cacheControl);
  if (content.contentDisposition !== undefined) headers.append('content-disposition', content.contentDisposition);
  if (content.contentEncoding !== undefined) headers.append('content-encoding', content.contentEncoding);
  if (content.contentLanguage !== undefined) headers.append('content-language', content.contentLanguage);
  if (content.expires !== undefined) headers.append('expires', content.expires);
  for (const [name, value] of user) headers.append(META_PREFIX + name, encodeMetadataValue(value));
  return headers;
}
