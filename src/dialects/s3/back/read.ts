import { GatewayError } from '../../../errors.ts';
import type { ContentHeaders, MetadataEntry, VendorHeaders } from '../../../operations/object.ts';
import { parseHttpDate } from '../../../wire/dates.ts';
import { unquoted } from '../../../wire/etag.ts';
import { HeaderList } from '../../../wire/headers.ts';
import type { IncomingResponse } from '../../../wire/message.ts';
import type { StoredAck, StoredObject } from '../../store-exchange.ts';
import { decodeMetadataValue } from '../encoded-word.ts';
import { settingsIn } from '../traits.ts';
import { META_PREFIX } from './render.ts';

/** The heads of a backend's answers, read in one pass: this runs for every object. */

/**
 * The x-amz headers of a backend's answer that go on to a client as they are; those that speak of the stored bytes or of
 * the backend's own exchange do not, nor does what this list has never heard of. Source: the S3 API reference,
 * "Response Syntax" of the operations on objects.
 */
const KEPT = new Set([
  'x-amz-abort-date',
  'x-amz-abort-rule-id',
  'x-amz-archive-status',
  'x-amz-expiration',
  'x-amz-missing-meta',
  'x-amz-object-lock-legal-hold',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-replication-status',
  'x-amz-request-charged',
  'x-amz-restore',
  'x-amz-storage-class',
  'x-amz-tagging-count',
  'x-amz-website-redirect-location',
]);

interface Head {
  content: { -readonly [name in keyof ContentHeaders]: ContentHeaders[name] };
  user: MetadataEntry[];
  vendor: HeaderList;
  etag: string | undefined;
  lastModified: string | undefined;
  contentLength: string | undefined;
  contentRange: string | undefined;
  versionId: string | undefined;
  partsCount: string | undefined;
  deleteMarker: boolean;
}

function readHead(headers: HeaderList): Head {
  const head: Head = {
    content: {},
    user: [],
    vendor: new HeaderList(),
    etag: undefined,
    lastModified: undefined,
    contentLength: undefined,
    contentRange: undefined,
    versionId: undefined,
    partsCount: undefined,
    deleteMarker: false,
  };
  headers.forEach((name, value, rawName) => {
    if (name.startsWith('x-amz-')) readVendorHeader(head, name, rawName, value);
    else readPlainHeader(head, name, value);
  });
  return head;
}

function readVendorHeader(head: Head, name: string, rawName: string, value: string): void {
  if (name.startsWith(META_PREFIX)) head.user.push([name.slice(META_PREFIX.length), decodeMetadataValue(value)]);
  else if (name === 'x-amz-version-id') head.versionId = once(name, value, head.versionId);
  else if (name === 'x-amz-mp-parts-count') head.partsCount = value;
  else if (name === 'x-amz-delete-marker') head.deleteMarker = value === 'true';
  else if (KEPT.has(name)) head.vendor.append(rawName, value);
}

function readPlainHeader(head: Head, name: string, value: string): void {
  switch (name) {
    case 'content-length':
      head.contentLength = once(name, value, head.contentLength);
      break;
    case 'content-range':
      head.contentRange = once(name, value, head.contentRange);
      break;
    case 'etag':
      head.etag = once(name, unquoted(value), head.etag);
      break;
    case 'last-modified':
      head.lastModified = once(name, value, head.lastModified);
      break;
    case 'content-type':
      head.content.contentType = value;
      break;
    case 'cache-control':
      head.content.cacheControl = value;
      break;
    case 'content-disposition':
      head.content.contentDisposition = value;
      break;
    case 'content-encoding':
      head.content.contentEncoding = value;
      break;
    case 'content-language':
      head.content.contentLanguage = value;
      break;
    case 'expires':
      head.content.expires = value;
      break;
  }
}

/** Which of two is meant nobody can say. @throws GatewayError BackendError */
function once(name: string, value: string, before: string | undefined): string {
  if (before !== undefined && before !== value) throw unusable(`has two values of ${name}`);
  return value;
}

/** @throws GatewayError BackendError when what every store sends is missing or contradicts itself */
export function readObject(response: IncomingResponse): StoredObject {
  const { status } = response;
  if (status !== 200 && status !== 206) throw unusable(`has the status ${status} and should be an object`);
  const head = readHead(response.headers);
  const lastModified = head.lastModified === undefined ? undefined : parseHttpDate(head.lastModified);
  if (head.etag === undefined || lastModified === undefined) throw unusable('has no ETag or no Last-Modified');
  const contentLength = head.contentLength === undefined ? undefined : wholeNumber(head.contentLength);
  const ofNothing = head.contentRange === RANGE_OF_NOTHING && contentLength === 0;
  const partial = status === 206 && !ofNothing;
  const range = partial ? readContentRange(head.contentRange) : undefined;
  const inBody = range === undefined ? contentLength : range.last - range.first + 1;
  if (contentLength !== undefined && contentLength !== inBody) throw unusable('has another length than its range');
  const storedBytes = range === undefined ? contentLength : range.sizeBytes;
  if (storedBytes === undefined) throw unusable('has no length');
  return {
    storedBytes,
    storedRange: range === undefined ? undefined : { first: range.first, last: range.last },
    etag: head.etag,
    lastModified,
    metadata: { content: head.content, user: head.user, ...settingsIn(head.vendor) },
    versionId: head.versionId,
    partsCount: head.partsCount === undefined ? undefined : wholeNumber(head.partsCount),
  };
}

export function readAck(response: IncomingResponse): StoredAck {
  const head = readHead(response.headers);
  if (head.etag === undefined) throw unusable('has no ETag');
  return { etag: head.etag, versionId: head.versionId, vendor: vendorOf(head) };
}

export function readDelete(response: IncomingResponse): { versionId: string | undefined; deleteMarker: boolean } {
  const { versionId, deleteMarker } = readHead(response.headers);
  return { versionId, deleteMarker };
}

/** What belongs to an answer without a body of the object. */
export function readMarks(headers: HeaderList): Pick<StoredAck, 'versionId' | 'vendor'> {
  const head = readHead(headers);
  return { versionId: head.versionId, vendor: vendorOf(head) };
}

function vendorOf({ vendor }: Head): VendorHeaders | undefined {
  return vendor.size === 0 ? undefined : { dialect: 's3', headers: vendor };
}

/** MinIO's answer when the end of an object is asked for that has no bytes. */
const RANGE_OF_NOTHING = 'bytes 0--1/0';

const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/;

function readContentRange(value: string | undefined): { first: number; last: number; sizeBytes: number } {
  const match = CONTENT_RANGE.exec(value ?? '');
  const [first, last, sizeBytes] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3])];
  if (match === null || last < first || last >= sizeBytes) throw unusable('is partial without a usable Content-Range');
  return { first, last, sizeBytes };
}

function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return text !== '' && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

export function unusable(why: string): GatewayError {
  return new GatewayError('BackendError', `The backend's answer ${why}.`, { source: 'backend' });
}
