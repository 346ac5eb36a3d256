import type { ChecksumAlgorithm } from '../operations/object.ts';
import { type CrcAlgorithm, combinedCrc } from './crc-combination.ts';
import { startDigest } from './digest.ts';

export interface PartChecksum {
  readonly value: Buffer;
  readonly bytes: number;
}

/** Only CRCs of pieces tell the CRC of the whole. */
export function canCombine(algorithm: ChecksumAlgorithm): algorithm is CrcAlgorithm {
  return algorithm === 'CRC32' || algorithm === 'CRC32C' || algorithm === 'CRC64NVME';
}

/**
 * The checksum of an object from those of its parts, in order: of all its bytes, or composite, which is the checksum of
 * the parts' checksums laid end to end.
 * @throws RangeError for a whole checksum of an algorithm that cannot be combined
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
  if (!canCombine(algorithm)) throw new RangeError(`The ${algorithm} of a whole does not follow from those of parts.`);
  return combinedCrc(algorithm, parts);
}
