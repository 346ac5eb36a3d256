import type { ChecksumAlgorithm } from '../operations/object.ts';
import { type CrcAlgorithm, combinedCrc } from './crc-combination.ts';
import { startDigest } from './digest.ts';

/** The checksum and length of one part of an object. */
export interface PartChecksum {
  readonly value: Buffer;
  readonly bytes: number;
}

/** Whether the checksum of a whole object follows from those of its parts. It does for CRCs, and not for hashes. */
export function canCombine(algorithm: ChecksumAlgorithm): algorithm is CrcAlgorithm & ChecksumAlgorithm {
  return algorithm === 'CRC32' || algorithm === 'CRC32C' || algorithm === 'CRC64NVME';
}

/**
 * Computes the checksum of an object from those of its parts, in order. It covers all bytes of the object, or, if it is
 * composite, the concatenated checksums of the parts.
 * @throws RangeError where the checksum of all bytes is wanted of an algorithm that cannot be combined
 */
export async function checksumOfParts(
  algorithm: ChecksumAlgorithm,
  parts: readonly PartChecksum[],
  { composite }: { readonly composite: boolean },
): Promise<Buffer> {
  if (composite) {
    const digest = await startDigest(algorithm);
    for (const { value } of parts) digest.update(value);
    return digest.digest();
  }
  if (!canCombine(algorithm)) throw new RangeError(`The ${algorithm} of an object cannot be computed from its parts'.`);
  return combinedCrc(algorithm, parts);
}
