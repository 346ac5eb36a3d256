import { canCombine } from '../../../../checksums/whole-object.ts';
import { clientError, type GatewayError } from '../../../../errors.ts';
import type { ListMultipartUploads, ListParts } from '../../../../operations/listing.ts';
import type { AskedChecksum, ChecksumAlgorithm, ObjectRef } from '../../../../operations/object.ts';
import type { AbortMultipartUpload, CreateMultipartUpload, UploadPart } from '../../../../operations/operation.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { QueryList } from '../../../../wire/query.ts';
import { CHECKSUM_ALGORITHMS } from '../../checksum.ts';
import { readLaterEncryption, readWriteEncryption } from './encryption-headers.ts';
import { checkDeleteHeaders, checkPartHeaders, checkReadHeaders, readReadEncryption } from './header-rules.ts';
import { isUrlEncoded, readPageSize, wholeNumber } from './listing.ts';
import { readObjectMetadata } from './put-object.ts';

const MAX_PART_NUMBER = 10_000;

/**
 * Reads a CreateMultipartUpload.
 * @throws GatewayError what `readObjectMetadata` throws, and InvalidRequest for a checksum that S3 does not have
 */
export function readCreateUpload(ref: ObjectRef, headers: HeaderList): CreateMultipartUpload {
  const metadata = readObjectMetadata('CreateMultipartUpload', headers);
  return {
    kind: 'CreateMultipartUpload',
    ref,
    metadata,
    checksum: readAskedChecksum(headers),
    encryption: readWriteEncryption(headers, { operation: 'CreateMultipartUpload' }),
  };
}

/** Reads an UploadPart. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readUploadPart(ref: ObjectRef, query: QueryList, headers: HeaderList): UploadPart {
  checkPartHeaders(headers, 'UploadPart');
  return {
    kind: 'UploadPart',
    ref,
    uploadId: readUploadId(query),
    partNumber: readPartNumber(query),
    encryption: readLaterEncryption(headers, { operation: 'UploadPart' }),
  };
}

/** Reads the number of a part, from 1 to 10,000. @throws GatewayError InvalidArgument */
export function readPartNumber(query: QueryList): number {
  const number = query.get('partNumber') ?? '';
  const partNumber = Number(number);
  if (!/^\d{1,5}$/.test(number) || partNumber < 1 || partNumber > MAX_PART_NUMBER) {
    throw clientError('InvalidArgument', `Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive.`);
  }
  return partNumber;
}

/** Reads a ListParts. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readListParts(ref: ObjectRef, query: QueryList, headers: HeaderList): ListParts {
  const encryption = readReadEncryption(headers, 'ListParts');
  const marker = query.get('part-number-marker');
  return {
    kind: 'ListParts',
    ref,
    encryption,
    uploadId: readUploadId(query),
    partNumberMarker: marker === undefined || marker === '' ? 0 : wholeNumber('part-number-marker', marker),
    maxParts: readPageSize(query, 'max-parts'),
    urlEncoded: isUrlEncoded(query),
  };
}

/** Reads an AbortMultipartUpload. @throws GatewayError NoSuchUpload, NotImplemented */
export function readAbortUpload(ref: ObjectRef, query: QueryList, headers: HeaderList): AbortMultipartUpload {
  checkDeleteHeaders(headers, 'AbortMultipartUpload');
  return { kind: 'AbortMultipartUpload', ref, uploadId: readUploadId(query) };
}

/** Reads a ListMultipartUploads. @throws GatewayError InvalidArgument, NotImplemented */
export function readListUploads(bucket: string, query: QueryList, headers: HeaderList): ListMultipartUploads {
  checkReadHeaders(headers, 'ListMultipartUploads');
  const keyMarker = query.get('key-marker') ?? '';
  return {
    kind: 'ListMultipartUploads',
    bucket,
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    keyMarker,
    // S3 ignores upload-id-marker without key-marker.
    uploadIdMarker: keyMarker === '' ? '' : (query.get('upload-id-marker') ?? ''),
    maxUploads: readPageSize(query, 'max-uploads'),
    urlEncoded: isUrlEncoded(query),
  };
}

/**
 * Reads the id of an upload. An empty one would make another request of it at the backend.
 * @throws GatewayError NoSuchUpload
 */
export function readUploadId(query: QueryList): string {
  const uploadId = query.get('uploadId') ?? '';
  if (uploadId === '') throw clientError('NoSuchUpload', 'The upload id must not be empty.');
  return uploadId;
}

/**
 * Reads which checksum the object of an upload will have. CRC64NVME always covers the whole object, and a hash always
 * covers the hashes of the parts. CRC32 and CRC32C can do either; by default they cover those of the parts.
 */
function readAskedChecksum(headers: HeaderList): AskedChecksum | undefined {
  const algorithm = readChecksumAlgorithm(headers);
  const composite = readChecksumType(headers);
  if (algorithm === undefined) {
    if (composite === undefined) return undefined;
    throw clientError('InvalidRequest', 'x-amz-checksum-type needs x-amz-checksum-algorithm.');
  }
  if (composite === true && algorithm === 'CRC64NVME') throw noSuchType('COMPOSITE', algorithm);
  if (composite === false && !canCombine(algorithm)) throw noSuchType('FULL_OBJECT', algorithm);
  return { algorithm, composite: composite ?? algorithm !== 'CRC64NVME' };
}

/** Reads x-amz-checksum-algorithm. @throws GatewayError InvalidRequest for an algorithm that S3 does not have */
export function readChecksumAlgorithm(headers: HeaderList): ChecksumAlgorithm | undefined {
  const name = headers.get('x-amz-checksum-algorithm')?.toUpperCase();
  const algorithm = CHECKSUM_ALGORITHMS.find((candidate) => candidate === name);
  if (algorithm !== undefined || name === undefined) return algorithm;
  throw clientError(
    'InvalidRequest',
    'Checksum algorithm provided is unsupported. Please try again with any of the valid types: ' +
      `[${CHECKSUM_ALGORITHMS.join(', ')}]`,
  );
}

/**
 * Whether the client says that a checksum is composite; undefined where it does not say.
 * @throws GatewayError InvalidRequest
 */
export function readChecksumType(headers: HeaderList): boolean | undefined {
  const type = headers.get('x-amz-checksum-type')?.toUpperCase();
  if (type === undefined) return undefined;
  if (type === 'COMPOSITE' || type === 'FULL_OBJECT') return type === 'COMPOSITE';
  throw clientError('InvalidRequest', 'Value for x-amz-checksum-type header is invalid.');
}

function noSuchType(type: string, algorithm: string): GatewayError {
  return clientError(
    'InvalidRequest',
    `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
  );
}
