import { clientError } from '../../../../errors.ts';
import type { ObjectRef } from '../../../../operations/object.ts';
import type { CopyObject, CopySource, UploadPartCopy } from '../../../../operations/operation.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { percentDecode } from '../../../../wire/percent.ts';
import type { QueryList } from '../../../../wire/query.ts';
import type { ByteRange } from '../../../../wire/range.ts';
import type { FrontSettings } from '../../../front-dialect.ts';
import { bucketUnderDomain } from '../../../host-bucket.ts';
import { singleHeader } from '../../../object-metadata.ts';
import { bucketOfVendorHost, checkBucketName, checkKey } from '../../address.ts';
import { readSourceEncryption, readUploadEncryption, readWriteEncryption } from './encryption-headers.ts';
import { COPY_SOURCE, checkChangeHeaders, METADATA_DIRECTIVE, TAGGING_DIRECTIVE } from './header-rules.ts';
import { readObjectMetadata, readWriteConditions } from './objects.ts';
import { readPartNumber, readUploadId } from './uploads.ts';

/** What must be known beside the headers of a copy to read its source. */
type Domains = Pick<FrontSettings, 'domains'>;

/**
 * Reads a PutObjectCopy. Metadata and tags that are sent without the directive Replaced are ignored. An object may be
 * copied onto itself as it is.
 * @throws GatewayError InvalidArgument, NotImplemented
 */
export function readCopyObject(ref: ObjectRef, headers: HeaderList, settings: Domains): CopyObject {
  const operation = 'PutObjectCopy';
  const { content, user, traits, vendor } = readObjectMetadata(headers, operation);
  const replacesTags = replaces(headers, TAGGING_DIRECTIVE);
  const { tags, ...others } = traits ?? {};
  return {
    kind: 'CopyObject',
    ref,
    source: readCopySource(headers, settings),
    replacement: replaces(headers, METADATA_DIRECTIVE) ? { content, user } : undefined,
    tags: replacesTags ? 'replace' : 'copy',
    checksumAlgorithm: undefined,
    vendor,
    traits: replacesTags && tags !== undefined ? { ...others, tags } : others,
    conditions: readWriteConditions(headers),
    encryption: readWriteEncryption(headers, { operation, copies: true }),
  };
}

/** Reads an UploadPartCopy. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readUploadPartCopy(
  ref: ObjectRef,
  { query, headers }: { readonly query: QueryList; readonly headers: HeaderList },
  settings: Domains,
): UploadPartCopy {
  const operation = 'UploadPartCopy';
  checkChangeHeaders(headers, operation);
  return {
    kind: operation,
    ref,
    uploadId: readUploadId(query),
    partNumber: readPartNumber(query),
    source: readCopySource(headers, settings),
    range: readRange(headers.get(`${COPY_SOURCE}-range`)),
    encryption: readUploadEncryption(headers, { operation, copies: true }),
  };
}

/** Whether a directive asks for the values of the request. COS says `Replaced`, and some tools S3's `REPLACE`. */
function replaces(headers: HeaderList, name: string): boolean {
  const directive = singleHeader(headers, name)?.toLowerCase() || 'copy';
  if (directive === 'replaced' || directive === 'replace') return true;
  if (directive === 'copy') return false;
  throw clientError('InvalidArgument', `${name} must be Copy or Replaced.`);
}

const VERSION = 'versionId=';

/**
 * Reads the source of a copy and the conditions on it. The header has `host/key`, percent-encoded, and may end in
 * `?versionId=…`; the host names the bucket. A plus is a plus here.
 * @throws GatewayError InvalidArgument, InvalidBucketName, InvalidObjectName
 */
export function readCopySource(headers: HeaderList, settings: Domains): CopySource {
  const [value = '', ...more] = headers.getAll(COPY_SOURCE);
  if (more.length > 0) throw clientError('InvalidArgument', `${COPY_SOURCE} may be there once only.`);
  // The value is split before it is decoded, so that an encoded question mark or slash stays part of the key.
  const mark = value.indexOf('?');
  const path = (mark === -1 ? value : value.slice(0, mark)).replace(/^\//, '');
  const slash = path.indexOf('/');
  if (slash < 1 || slash === path.length - 1) throw malformed();
  const bucket = bucketOfSource(path.slice(0, slash), settings);
  const key = decoded(path.slice(slash + 1));
  checkBucketName(bucket);
  checkKey(key);
  return {
    ref: { bucket, key, versionId: mark === -1 ? undefined : readVersion(value.slice(mark + 1)) },
    conditions: {
      ifMatch: headers.get(`${COPY_SOURCE}-if-match`),
      ifNoneMatch: headers.get(`${COPY_SOURCE}-if-none-match`),
      ifModifiedSince: headers.get(`${COPY_SOURCE}-if-modified-since`),
      ifUnmodifiedSince: headers.get(`${COPY_SOURCE}-if-unmodified-since`),
    },
    encryption: readSourceEncryption(headers),
  };
}

/**
 * Finds the bucket of a source's host: a host of COS's own, one of the gateway's domains, or the bucket's name alone,
 * as in S3. Under any other host the source may lie in another store.
 */
function bucketOfSource(host: string, { domains }: Domains): string {
  const name = host.toLowerCase();
  const bucket = bucketOfVendorHost(name) ?? bucketUnderDomain(name.replace(/:\d{1,5}$/, ''), domains);
  if (bucket !== undefined) return bucket;
  if (!/[.:]/.test(host)) return host;
  throw clientError(
    'InvalidArgument',
    `The host of ${COPY_SOURCE} must be BUCKET.cos.REGION.myqcloud.com, or BUCKET under a domain of this gateway.`,
  );
}

function readVersion(query: string): string {
  const versionId = query.startsWith(VERSION) ? decoded(query.slice(VERSION.length)) : '';
  // With a further parameter the store might copy another object than the one that the gateway has checked.
  if (versionId === '' || /[&\0-\x1f]/.test(versionId)) throw malformed();
  return versionId;
}

function decoded(text: string): string {
  try {
    return percentDecode(text);
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause?: unknown): Error {
  return clientError(
    'InvalidArgument',
    `${COPY_SOURCE} must be host/key or host/key?versionId=id, percent-encoded as UTF-8.`,
    { cause },
  );
}

const RANGE = /^bytes=(\d{1,15})-(\d{1,15})$/;

/** Reads the range to copy. Unlike the Range of a GET it needs both ends, and one that cannot be read is an error. */
function readRange(value: string | undefined): ByteRange | undefined {
  if (value === undefined || value === '') return undefined;
  const match = RANGE.exec(value);
  const range = { first: Number(match?.[1]), last: Number(match?.[2]) };
  if (match !== null && range.first <= range.last) return range;
  throw clientError('InvalidArgument', `${COPY_SOURCE}-range must be of the form bytes=first-last.`);
}
