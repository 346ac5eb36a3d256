import { clientError } from '../../../../errors.ts';
import type { Checksum, ChecksumAlgorithm, ObjectRef } from '../../../../operations/object.ts';
import type { CompleteMultipartUpload, NamedPart } from '../../../../operations/operation.ts';
import type { HeaderList } from '../../../../wire/headers.ts';
import type { QueryList } from '../../../../wire/query.ts';
import { partsIn } from '../../../xml-family/part-list.ts';
import { CHECKSUM_ALGORITHMS, CHECKSUMS } from '../../checksum.ts';
import { checksumValue } from '../../signature/body-claims.ts';
import { checkDeleteHeaders } from './header-rules.ts';
import { readChecksumType, readUploadId } from './upload-requests.ts';

/** Room for 10,000 parts, each with a number, an ETag and a SHA-512, in a document that a tool has indented. */
export const MAX_COMPLETE_BYTES = 4 * 1024 * 1024;

/** S3 takes no smaller part, except the last. */
const SMALLEST_PART_BYTES = 5 * 1024 * 1024;

/** What the head of a CompleteMultipartUpload says. The list of parts is its body. */
export type CompleteHead = Omit<CompleteMultipartUpload, 'parts'>;

/** @throws GatewayError InvalidRequest, NoSuchUpload, NotImplemented */
export function readCompleteHead(ref: ObjectRef, query: QueryList, headers: HeaderList): CompleteHead {
  checkDeleteHeaders(headers, 'CompleteMultipartUpload');
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
  };
}

const CHECKSUM_ELEMENTS = new Map(CHECKSUM_ALGORITHMS.map((algorithm) => [`Checksum${algorithm}`, algorithm]));

/** @throws GatewayError MalformedBody, InvalidRequest */
export function readPartList(document: Buffer): NamedPart[] {
  return partsIn(document, (element, text) => {
    const algorithm = CHECKSUM_ELEMENTS.get(element);
    return algorithm && { algorithm, value: checksumValue(algorithm, text) };
  });
}

/** Reads the checksum of the object. In every other request these headers are about the body. */
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

/** S3 answers a value that is no checksum as it answers a wrong checksum. */
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
