import { clientError } from '../../../../errors.ts';
import type { ObjectRef } from '../../../../operations/object.ts';
import type { CopyObject, CopySource, UploadPartCopy } from '../../../../operations/operation.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import { percentDecode } from '../../../../wire/percent.ts';
import type { QueryList } from '../../../../wire/query.ts';
import type { ByteRange } from '../../../../wire/range.ts';
import { singleHeader } from '../../../object-metadata.ts';
import { checkBucketName, checkKey } from '../../address.ts';
import { meantEtags } from '../../vocabulary.ts';
import { readWriteEncryption } from './encryption-headers.ts';
import { COPY_SOURCE, checkChangeHeaders, METADATA_DIRECTIVE, TAGGING_DIRECTIVE } from './header-rules.ts';
import { readObjectMetadata, readWriteConditions } from './objects.ts';
import { readPartNumber, readUploadId } from './uploads.ts';

/**
 * Reads a CopyObject. Metadata and tags that are sent without the directive REPLACE are ignored. An object may be
 * copied onto itself as it is.
 * @throws GatewayError InvalidArgument, InvalidEncryptionAlgorithm, NotImplemented
 */
export function readCopyObject(ref: ObjectRef, headers: HeaderList): CopyObject {
  const operation = 'CopyObject';
  const { content, user, traits, vendor } = readObjectMetadata(headers, operation);
  const replacesTags = readDirective(headers, TAGGING_DIRECTIVE) === 'REPLACE';
  const { tags, ...others } = traits ?? {};
  return {
    kind: operation,
    ref,
    source: readCopySource(headers),
    replacement: readDirective(headers, METADATA_DIRECTIVE) === 'REPLACE' ? { content, user } : undefined,
    tags: replacesTags ? 'replace' : 'copy',
    checksumAlgorithm: undefined,
    vendor,
    traits: replacesTags && tags !== undefined ? { ...others, tags } : others,
    conditions: readWriteConditions(headers),
    encryption: readWriteEncryption(headers, operation),
  };
}

/** Reads an UploadPartCopy. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readUploadPartCopy(ref: ObjectRef, query: QueryList, headers: HeaderList): UploadPartCopy {
  checkChangeHeaders(headers, 'UploadPartCopy');
  return {
    kind: 'UploadPartCopy',
    ref,
    uploadId: readUploadId(query),
    partNumber: readPartNumber(query),
    source: readCopySource(headers),
    range: readRange(headers.get(`${COPY_SOURCE}-range`)),
  };
}

function readDirective(headers: HeaderList, name: string): string {
  const directive = singleHeader(headers, name)?.toUpperCase() ?? 'COPY';
  if (directive === 'COPY' || directive === 'REPLACE') return directive;
  throw clientError('InvalidArgument', `${name} must be COPY or REPLACE.`);
}

const VERSION = 'versionId=';

/**
 * Reads the source of a copy and the conditions on it. The header has `/bucket/key`, percent-encoded, and may end in
 * `?versionId=…`. A plus is a plus here.
 * @throws GatewayError InvalidArgument, InvalidBucketName, InvalidObjectName
 */
function readCopySource(headers: HeaderList): CopySource {
  const [value = '', ...more] = headers.getAll(COPY_SOURCE);
  if (more.length > 0) throw clientError('InvalidArgument', `${COPY_SOURCE} may be there once only.`);
  // The value is split before it is decoded, so that an encoded question mark stays part of the key.
  const mark = value.indexOf('?');
  const path = decoded(mark === -1 ? value : value.slice(0, mark)).replace(/^\//, '');
  const slash = path.indexOf('/');
  if (slash < 1 || slash === path.length - 1) throw malformed();
  const bucket = path.slice(0, slash);
  const key = path.slice(slash + 1);
  checkBucketName(bucket);
  checkKey(key);
  return {
    ref: { bucket, key, versionId: mark === -1 ? undefined : readVersion(value.slice(mark + 1)) },
    conditions: {
      ifMatch: meantEtags(headers.get(`${COPY_SOURCE}-if-match`)),
      ifNoneMatch: meantEtags(headers.get(`${COPY_SOURCE}-if-none-match`)),
      ifModifiedSince: headers.get(`${COPY_SOURCE}-if-modified-since`),
      ifUnmodifiedSince: headers.get(`${COPY_SOURCE}-if-unmodified-since`),
    },
  };
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
    `${COPY_SOURCE} must be /bucket/key or /bucket/key?versionId=id, percent-encoded as UTF-8.`,
    { cause },
  );
}

const RANGE = /^bytes=(\d{1,15})-(\d{1,15})$/;

/** Reads the range to copy. Unlike the Range of a GET it needs both ends, and one that cannot be read is an error. */
function readRange(value: string | undefined): ByteRange | undefined {
  if (value === undefined) return undefined;
  const match = RANGE.exec(value);
  const range = { first: Number(match?.[1]), last: Number(match?.[2]) };
  if (match !== null && range.first <= range.last) return range;
  throw clientError('InvalidArgument', `${COPY_SOURCE}-range must be of the form bytes=first-last.`, {
    details: { ArgumentName: `${COPY_SOURCE}-range`, ArgumentValue: value.slice(0, 64) },
  });
}
