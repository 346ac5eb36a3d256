import { clientError } from '../../../errors.ts';
import type { MoveObject } from '../../../operations/move.ts';
import type { ObjectRef } from '../../../operations/object.ts';
import type { CopyObject, CopySource, UploadPartCopy } from '../../../operations/operation.ts';
import type { HeaderList } from '../../../wire/headers.ts';
import { percentDecode } from '../../../wire/percent.ts';
import type { QueryList } from '../../../wire/query.ts';
import type { ByteRange } from '../../../wire/range.ts';
import { singleHeader } from '../../object-metadata.ts';
import { checkBucketName, checkKey } from '../address.ts';
import { COPY_SOURCE, MOVE_SOURCE } from '../operation-table.ts';
import { dropEncryption, readEncryption, readSourceEncryption, SOURCE_KEY_HEADERS } from './encryption-headers.ts';
import { checkHeaders, unescaped } from './header-rules.ts';
import { readConditions, readObjectMetadata, STORAGE_CLASS_HEADER } from './objects.ts';
import { readPartNumber, readUploadId } from './uploads.ts';

const DIRECTIVE = 'x-qs-metadata-directive';
export const COPY_RANGE = 'x-qs-copy-range';

const SOURCE_HEADERS: readonly string[] = [
  COPY_SOURCE,
  ...SOURCE_KEY_HEADERS,
  ...['match', 'none-match', 'modified-since', 'unmodified-since'].map((name) => `${COPY_SOURCE}-if-${name}`),
];

/**
 * Reads a CopyObject. Without the directive REPLACE the copy has the source's metadata. An object may be copied onto
 * itself as it is: rclone does so to set its time.
 * @throws GatewayError InvalidArgument, InvalidBucketName, InvalidObjectName, NotImplemented
 */
export function readCopyObject(ref: ObjectRef, query: QueryList, headers: HeaderList): CopyObject {
  checkHeaders(headers, 'CopyObject', [...SOURCE_HEADERS, DIRECTIVE, STORAGE_CLASS_HEADER]);
  const { content, user, traits } = readObjectMetadata(headers);
  const source = readCopySource(headers);
  refuseOtherSource(query.get('copy_source'), source.ref);
  return {
    kind: 'CopyObject',
    ref,
    source,
    replacement: replacesMetadata(headers) ? { content, user } : undefined,
    tags: 'copy',
    checksumAlgorithm: undefined,
    traits,
    conditions: readConditions(headers),
    encryption: readEncryption(headers),
  };
}

/**
 * Reads a MoveObject. It takes no key, and so one that is sent is only looked at.
 * @throws GatewayError InvalidArgument, InvalidBucketName, InvalidObjectName, NotImplemented
 */
export function readMoveObject(ref: ObjectRef, headers: HeaderList): MoveObject {
  checkHeaders(headers, 'MoveObject', [MOVE_SOURCE]);
  dropEncryption(headers);
  return { kind: 'MoveObject', ref, source: { ref: placeIn(headers, MOVE_SOURCE) } };
}

/**
 * Reads a part that is copied from an object.
 * @throws GatewayError InvalidArgument, InvalidBucketName, InvalidObjectName, NoSuchUpload, NotImplemented
 */
export function readCopyPart(ref: ObjectRef, query: QueryList, headers: HeaderList): UploadPartCopy {
  checkHeaders(headers, 'CopyObjectPart', [...SOURCE_HEADERS, COPY_RANGE]);
  return {
    kind: 'UploadPartCopy',
    ref,
    uploadId: readUploadId(query),
    partNumber: readPartNumber(query),
    source: readCopySource(headers),
    range: readRange(singleHeader(headers, COPY_RANGE)),
    encryption: readEncryption(headers),
  };
}

function replacesMetadata(headers: HeaderList): boolean {
  const directive = singleHeader(headers, DIRECTIVE)?.toLowerCase() ?? 'copy';
  if (directive !== 'copy' && directive !== 'replace') {
    throw clientError('InvalidArgument', `${DIRECTIVE} must be COPY or REPLACE.`);
  }
  return directive === 'replace';
}

/**
 * An article of the vendor's writes the source of a copy into the query, too. That is not signed, so it may only repeat
 * the header.
 */
function refuseOtherSource(repeated: string | undefined, { bucket, key }: ObjectRef): void {
  if (repeated === undefined || repeated === `/${bucket}/${key}`) return;
  throw clientError('InvalidArgument', `The query parameter copy_source names another object than ${COPY_SOURCE}.`);
}

function readCopySource(headers: HeaderList): CopySource {
  return {
    ref: placeIn(headers, COPY_SOURCE),
    conditions: {
      ifMatch: unescaped(headers.get(`${COPY_SOURCE}-if-match`)),
      ifNoneMatch: unescaped(headers.get(`${COPY_SOURCE}-if-none-match`)),
      ifModifiedSince: unescaped(headers.get(`${COPY_SOURCE}-if-modified-since`)),
      ifUnmodifiedSince: unescaped(headers.get(`${COPY_SOURCE}-if-unmodified-since`)),
    },
    encryption: readSourceEncryption(headers),
  };
}

/**
 * Reads the place of an object from a header, `/bucket/key`, percent-encoded. A plus is a plus here.
 * @throws GatewayError InvalidArgument, InvalidBucketName, InvalidObjectName, KeyTooLongError
 */
export function placeIn(headers: HeaderList, name: string): ObjectRef {
  const [value = '', ...more] = headers.getAll(name);
  if (more.length > 0) throw clientError('InvalidArgument', `${name} may be there once only.`);
  const path = decoded(value, name).replace(/^\//, '');
  const slash = path.indexOf('/');
  if (slash < 1 || slash === path.length - 1) throw malformed(name);
  const bucket = path.slice(0, slash);
  const key = path.slice(slash + 1);
  checkBucketName(bucket);
  checkKey(key);
  return { bucket, key };
}

function decoded(text: string, name: string): string {
  try {
    return percentDecode(text);
  } catch (cause) {
    throw malformed(name, cause);
  }
}

function malformed(name: string, cause?: unknown): Error {
  return clientError('InvalidArgument', `${name} must be /bucket/key, percent-encoded as UTF-8.`, { cause });
}

const RANGE = /^bytes=(\d{1,15})-(\d{1,15})$/;

/** Reads the range to copy. Unlike the Range of a GET it needs both ends, and one that cannot be read is an error. */
function readRange(value: string | undefined): ByteRange | undefined {
  if (value === undefined) return undefined;
  const match = RANGE.exec(value);
  const range = { first: Number(match?.[1]), last: Number(match?.[2]) };
  if (match !== null && range.first <= range.last) return range;
  throw clientError('InvalidArgument', `${COPY_RANGE} must be of the form bytes=first-last.`);
}
