import { clientError } from '../../../../errors.ts';
import type { ListParts } from '../../../../operations/listing.ts';
import type { ObjectRef } from '../../../../operations/object.ts';
import type {
  AbortMultipartUpload,
  CompleteMultipartUpload,
  CreateMultipartUpload,
  NamedPart,
  UploadPart,
} from '../../../../operations/operation.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { QueryList } from '../../../../wire/query.ts';
import { partsIn } from '../../../xml-family/part-list.ts';
import { MAX_KEYS, meantEtags, SMALLEST_PART_BYTES } from '../../vocabulary.ts';
import { readWriteEncryption } from './encryption-headers.ts';
import { checkChangeHeaders, checkReadHeaders, FORBID_OVERWRITE } from './header-rules.ts';
import { isUrlEncoded, readPageSize } from './listing.ts';
import { forbidsOverwrite, readObjectMetadata, readWriteConditions } from './objects.ts';

const MAX_PART_NUMBER = 10_000;

/** The greatest size of the document of a Complete: 10,000 parts with number and ETag, with blanks for indentation. */
export const MAX_COMPLETE_BYTES = 4 * 1024 * 1024;

/**
 * Reads an InitiateMultipartUpload.
 * @throws GatewayError InvalidArgument, InvalidEncryptionAlgorithm, NotImplemented
 */
export function readInitiate(ref: ObjectRef, headers: HeaderList): CreateMultipartUpload {
  const operation = 'InitiateMultipartUpload';
  const metadata = readObjectMetadata(headers, operation);
  if (forbidsOverwrite(headers)) {
    throw clientError(
      'NotImplemented',
      `${operation} with the header ${FORBID_OVERWRITE} is not available. Send it with CompleteMultipartUpload.`,
    );
  }
  const encryption = readWriteEncryption(headers, operation);
  return { kind: 'CreateMultipartUpload', ref, metadata, checksum: undefined, encryption };
}

/** Reads an UploadPart. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readUploadPart(ref: ObjectRef, query: QueryList, headers: HeaderList): UploadPart {
  checkChangeHeaders(headers, 'UploadPart');
  return { kind: 'UploadPart', ref, uploadId: readUploadId(query), partNumber: readPartNumber(query) };
}

/** Reads the number of a part, from 1 to 10,000. @throws GatewayError InvalidArgument */
export function readPartNumber(query: QueryList): number {
  const text = query.get('partNumber') ?? '';
  const partNumber = Number(text);
  if (/^\d{1,5}$/.test(text) && partNumber >= 1 && partNumber <= MAX_PART_NUMBER) return partNumber;
  throw clientError('InvalidArgument', `Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive.`, {
    details: { ArgumentName: 'partNumber', ArgumentValue: text.slice(0, 64) },
  });
}

/**
 * Reads the id of an upload. An empty one would make another request of it at the store.
 * @throws GatewayError NoSuchUpload
 */
export function readUploadId(query: QueryList): string {
  const uploadId = query.get('uploadId') ?? '';
  if (uploadId === '') throw clientError('NoSuchUpload', 'The upload id must not be empty.');
  return uploadId;
}

/** Reads an AbortMultipartUpload. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readAbort(ref: ObjectRef, query: QueryList, headers: HeaderList): AbortMultipartUpload {
  checkChangeHeaders(headers, 'AbortMultipartUpload');
  return { kind: 'AbortMultipartUpload', ref, uploadId: readUploadId(query) };
}

/** Reads a ListParts. @throws GatewayError InvalidArgument, NoSuchUpload */
export function readListParts(ref: ObjectRef, query: QueryList, headers: HeaderList): ListParts {
  checkReadHeaders(headers, 'ListParts');
  const marker = query.get('part-number-marker') ?? '';
  if (!/^\d{0,5}$/.test(marker)) {
    throw clientError('InvalidArgument', 'part-number-marker must be a whole number.', {
      details: { ArgumentName: 'part-number-marker', ArgumentValue: marker.slice(0, 64) },
    });
  }
  return {
    kind: 'ListParts',
    ref,
    uploadId: readUploadId(query),
    partNumberMarker: Number(marker),
    maxParts: readPageSize(query, 'max-parts', { byDefault: MAX_KEYS }),
    urlEncoded: isUrlEncoded(query),
  };
}

/** Reads the head of a CompleteMultipartUpload. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readCompleteHead(
  ref: ObjectRef,
  query: QueryList,
  headers: HeaderList,
): Omit<CompleteMultipartUpload, 'parts'> {
  checkChangeHeaders(headers, 'CompleteMultipartUpload', new Set([FORBID_OVERWRITE]));
  isUrlEncoded(query);
  return {
    kind: 'CompleteMultipartUpload',
    ref,
    uploadId: readUploadId(query),
    smallestPartBytes: SMALLEST_PART_BYTES,
    checksum: undefined,
    composite: undefined,
    plaintextBytes: undefined,
    conditions: readWriteConditions(headers),
  };
}

/** Reads the parts that the body of a Complete names. @throws GatewayError MalformedBody */
export function readPartList(document: Buffer): NamedPart[] {
  return partsIn(document, () => undefined).map((part) => ({ ...part, etag: meantEtags(part.etag) }));
}
