import { GatewayError } from '../../../errors.ts';
import type { ContentHeaders, MetadataEntry, VendorHeaders } from '../../../operations/object.ts';
import { unquoted } from '../../../wire/etag.ts';
import { HeaderList } from '../../../wire/headers.ts';
import type { AnswerHead } from '../../backend-calls.ts';
import type { StoredAck } from '../../store-exchange.ts';
import { decodeMetadataValue } from '../encoded-word.ts';
import { S3_VOCABULARY } from '../vocabulary.ts';
import { ENCRYPTION_PREFIX, EncryptionReader } from './encryption-headers.ts';

const META_PREFIX = S3_VOCABULARY.metadataPrefix;

/* Reads the headers of a store's answers. It takes one pass over them, because it runs for every object. */

/**
 * The x-amz headers of a store's answer that are passed on to a client as they are. Headers about the stored bytes, and
 * about the exchange between gateway and store, are not among them. Source: the S3 API reference, "Response Syntax" of
 * the operations on objects.
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

/** The headers of an answer, with values as they were sent; only metadata is decoded and the ETag unquoted. */
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
  /** undefined where no header tells of encryption. */
  encryption: EncryptionReader | undefined;
}

/**
 * Reads all headers of an answer.
 * @throws GatewayError BackendError for two different values of a header that has one
 */
export function readHead(headers: HeaderList): Head {
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
    encryption: undefined,
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
  else if (name.startsWith(ENCRYPTION_PREFIX)) {
    head.encryption ??= new EncryptionReader();
    head.encryption.add(name, value);
  }
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

/** Refuses two different values, because it is unknown which one is right. @throws GatewayError BackendError */
function once(name: string, value: string, before: string | undefined): string {
  if (before !== undefined && before !== value) throw unusable(`has two values of ${name}`);
  return value;
}

/** Reads the answer to PutObject or UploadPart, which consists of headers. @throws GatewayError BackendError */
export function readAck({ headers }: AnswerHead): StoredAck {
  const head = readHead(headers);
  if (head.etag === undefined) throw unusable('has no ETag');
  return { etag: head.etag, ...marksOf(head) };
}

/** Reads what the headers of an answer say of a written object, beside its ETag. */
export function readMarks(headers: HeaderList): Omit<StoredAck, 'etag'> {
  return marksOf(readHead(headers));
}

function marksOf(head: Head): Omit<StoredAck, 'etag'> {
  const { versionId, encryption } = head;
  return { versionId, vendor: vendorOf(head), ...(encryption !== undefined && { encryptedAs: encryption.said }) };
}

function vendorOf({ vendor }: Head): VendorHeaders | undefined {
  return vendor.size === 0 ? undefined : { dialect: 's3', headers: vendor };
}

/**
 * Makes the error for an answer of the backend that cannot be used.
 * @param why completes the sentence "The backend's answer …"
 */
export function unusable(why: string): GatewayError {
  return new GatewayError('BackendError', `The backend's answer ${why}.`, { source: 'backend' });
}
