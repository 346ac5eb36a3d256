import { describe, expect, it } from 'vitest';
import { startDigest } from '../../src/checksums/digest.ts';
import { canCombine, checksumOfParts } from '../../src/checksums/whole-object.ts';
import { CHECKSUM_ALGORITHMS } from '../../src/dialects/s3/checksum.ts';
import type { ChecksumAlgorithm } from '../../src/operations/object.ts';
import { payload } from '../support/payload.ts';
import fc from '../support/property.ts';

async function checksum(algorithm: ChecksumAlgorithm, bytes: Buffer): Promise<Buffer> {
  const digest = await startDigest(algorithm);
  digest.update(bytes);
  return digest.digest();
}

const pieces = fc.array(
  fc.oneof(
    fc.constant(Buffer.alloc(0)),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  ),
  { maxLength: 8 },
);

describe('the checksum of a whole from those of its parts', () => {
  it.each(CHECKSUM_ALGORITHMS.filter(canCombine))('%s is that of the parts laid end to end', async (algorithm) => {
    await fc.assert(
      fc.asyncProperty(pieces, async (parts) => {
        const sums = await Promise.all(
          parts.map(async (part) => ({ value: await checksum(algorithm, part), bytes: part.length })),
        );
        const whole = await checksumOfParts(algorithm, sums, { composite: false });
        expect(whole).toEqual(await checksum(algorithm, Buffer.concat(parts)));
      }),
    );
  });

  it.each(CHECKSUM_ALGORITHMS.filter(canCombine))('%s of parts of many lengths and large ones', async (algorithm) => {
    const parts = [payload(5 * 1024 * 1024 + 3, 1), payload(5 * 1024 * 1024 + 3, 2), payload(65_537, 3), payload(1, 4)];
    const sums = await Promise.all(
      parts.map(async (part) => ({ value: await checksum(algorithm, part), bytes: part.length })),
    );
    expect(await checksumOfParts(algorithm, sums, { composite: false })).toEqual(
      await checksum(algorithm, Buffer.concat(parts)),
    );
  });

  it.each(CHECKSUM_ALGORITHMS)('%s composite is the checksum of the checksums', async (algorithm) => {
    const values = await Promise.all([1, 2, 3].map((seed) => checksum(algorithm, payload(100, seed))));
    const sums = values.map((value) => ({ value, bytes: 100 }));
    expect(await checksumOfParts(algorithm, sums, { composite: true })).toEqual(
      await checksum(algorithm, Buffer.concat(values)),
    );
  });

  it('says that a hash cannot be combined', async () => {
    await expect(checksumOfParts('SHA256', [], { composite: false })).rejects.toThrow(RangeError);
  });
});
