import { clientError } from '../../../../errors.ts';
import type { Checksum, ChecksumAlgorithm, ObjectRef } from '../../../../operations/object.ts';
import type { CompleteMultipartUpload, NamedPart } from '../../../../operations/operation.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { QueryList } from '../../../../wire/query.ts';
import { partsIn } from '../../../xml-family/part-list.ts';
import { CHECKSUM_ALGORITHMS, CHECKSUMS } from '../../checksum.ts';
import { checksumValue } from '../../signature/body-claims.ts';
import { readManagingEncryption } from './header-rules.ts';
import { readChecksumType, readUploadId } from './upload-requests.ts';

/** The greatest size of the document: 10,000 parts, each with number, ETag and SHA-512, with blanks for indentation. */
export const MAX_COMPLETE_BYTES = 4 * 1024 * 1024;

/** The smallest size that S3 allows for a part other than the last. */
const SMALLEST_PART_BYTES = 5 * 1024 * 1024;

/** What the head of a CompleteMultipartUpload request says. The list of parts stands in its body. */
export type CompleteHead = Omit<CompleteMultipartUpload, 'parts'>;

/** Reads the head of the request. @throws GatewayError InvalidRequest, InvalidArgument, NoSuchUpload, NotImplemented */
export function readCompleteHead(ref: ObjectRef, query: QueryList, headers: HeaderList): CompleteHead {
  const encryption = readManagingEncryption(headers, 'CompleteMultipartUpload');
  const size = headers.get('x-amz-mp-object-size');
  if (size !== undefined && !/^\d{1,15}$/.test(size)) {
    throw clientError('InvalidRequest', 'Value for x-amz-mp-object-size header is invalid.');
  }
  return {
    kind: 'CompleteMultipartUpload',
    ref,
    uploadId: readUploadId(query),
    smallestPartBytes: SMALLEST_PART_BYTES,
    checksum: readObjectChecksum(headers),
    composite: readChecksumType(headers),
    plaintextBytes: size === undefined ? undefined : Number(size),
    conditions: { ifMatch: headers.get('if-match'), ifNoneMatch: headers.get('if-none-match') },
    encryption,
  };
}

const CHECKSUM_ELEMENTS = new Map(CHECKSUM_ALGORITHMS.map((algorithm) => [`Checksum${algorithm}`, algorithm]));

/** Reads the body of the request. @throws GatewayError MalformedBody, InvalidRequest */
export function readPartList(document: Buffer): NamedPart[] {
  return partsIn(document, (element, text) => {
    const algorithm = CHECKSUM_ELEMENTS.get(element);
    return algorithm && { algorithm, value: checksumValue(algorithm, text) };
  });
}

/** Reads the checksum of the object. In every other request these headers have that of the request's body. */
function readObjectChecksum(headers: HeaderList): Checksum | undefined {
  const checksums: Checksum[] = [];
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    for (const text of headers.getAll(CHECKSUMS[algorithm].header)) {
      // A composite checksum may end with its number of parts, as S3 writes it in answers.
      const [, value = '', parts] = /^(.*?)(?:-(\d{1,5}))?$/.exec(text) ?? [];
      checksums.push({
        algorithm,
        value: objectChecksumValue(algorithm, value),
        parts: parts === undefined ? undefined : Number(parts),
      });
    }
  }
  if (checksums.length > 1) {
    throw clientError(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksums are not allowed.',
    );
  }
  return checksums[0];
}

/** Reads the value of a checksum. S3 gives the same error for a malformed checksum as for a wrong one. */
function objectChecksumValue(algorithm: ChecksumAlgorithm, text: string): Buffer {
  try {
    return checksumValue(algorithm, text);
  } catch {
    throw clientError(
      'BadDigest',
      `The ${algorithm.toLowerCase()} you specified did not match the calculated checksum.`,
    );
  }
}
