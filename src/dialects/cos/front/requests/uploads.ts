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
import { SMALLEST_PART_BYTES } from '../../vocabulary.ts';
import { readUploadEncryption, readWriteEncryption } from './encryption-headers.ts';
import { checkChangeHeaders, FORBID_OVERWRITE } from './header-rules.ts';
import { isUrlEncoded, readPageSize } from './listing.ts';
import { forbidsOverwrite, readObjectMetadata, readWriteConditions } from './objects.ts';

const MAX_PART_NUMBER = 10_000;

/** The greatest size of the document of a Complete: 10,000 parts with number and ETag, with blanks for indentation. */
export const MAX_COMPLETE_BYTES = 4 * 1024 * 1024;

/** Reads an InitiateMultipartUpload. @throws GatewayError InvalidArgument, NotImplemented */
export function readInitiate(ref: ObjectRef, headers: HeaderList): CreateMultipartUpload {
  const operation = 'InitiateMultipartUpload';
  const metadata = readObjectMetadata(headers, operation);
  if (forbidsOverwrite(headers)) {
    throw clientError(
      'NotImplemented',
      `${operation} with the header ${FORBID_OVERWRITE} is not available. Send it with CompleteMultipartUpload.`,
    );
  }
  const encryption = readWriteEncryption(headers, { operation });
  return { kind: 'CreateMultipartUpload', ref, metadata, checksum: undefined, encryption };
}

/** Reads an UploadPart. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readUploadPart(ref: ObjectRef, query: QueryList, headers: HeaderList): UploadPart {
  const operation = 'UploadPart';
  checkChangeHeaders(headers, operation);
  const encryption = readUploadEncryption(headers, { operation });
  return { kind: operation, ref, uploadId: readUploadId(query), partNumber: readPartNumber(query), encryption };
}

/** Reads the number of a part, from 1 to 10,000. @throws GatewayError InvalidArgument */
export function readPartNumber(query: QueryList): number {
  const text = query.get('partNumber') ?? '';
  const partNumber = Number(text);
  if (/^\d{1,5}$/.test(text) && partNumber >= 1 && partNumber <= MAX_PART_NUMBER) return partNumber;
  throw clientError('InvalidArgument', `Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive.`);
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
  ignoreKey(headers, 'AbortMultipartUpload');
  return { kind: 'AbortMultipartUpload', ref, uploadId: readUploadId(query) };
}

/** Checks the encryption headers of a request that needs none, and erases the key that it brings. */
function ignoreKey(headers: HeaderList, operation: string): void {
  const asked = readUploadEncryption(headers, { operation });
  if (asked?.kind !== 'customer') return;
  asked.key.check();
  asked.key.erase();
}

/** Reads a ListParts. @throws GatewayError InvalidArgument, NoSuchUpload */
export function readListParts(ref: ObjectRef, query: QueryList, headers: HeaderList): ListParts {
  const marker = query.get('part-number-marker') ?? '';
  if (!/^\d{0,5}$/.test(marker)) throw clientError('InvalidArgument', 'part-number-marker must be a whole number.');
  ignoreKey(headers, 'ListParts');
  return {
    kind: 'ListParts',
    ref,
    uploadId: readUploadId(query),
    partNumberMarker: Number(marker),
    maxParts: readPageSize(query, 'max-parts'),
    urlEncoded: isUrlEncoded(query),
  };
}

/** Reads the head of a CompleteMultipartUpload. @throws GatewayError InvalidArgument, NoSuchUpload, NotImplemented */
export function readCompleteHead(
  ref: ObjectRef,
  query: QueryList,
  headers: HeaderList,
): Omit<CompleteMultipartUpload, 'parts'> {
  const operation = 'CompleteMultipartUpload';
  checkChangeHeaders(headers, operation, new Set([FORBID_OVERWRITE]));
  ignoreKey(headers, operation);
  return {
    kind: operation,
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
  return partsIn(document, () => undefined);
}
