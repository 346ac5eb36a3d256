import { describe, expect, it } from 'vitest';
import { sealedPartBytes } from '../../../src/envelope/sizes.ts';
import { GatewayError } from '../../../src/errors.ts';
import { planBackendParts } from '../../../src/pipeline/upload/plan.ts';
import type { PartRecord } from '../../../src/uploads/upload-record.ts';
import fc from '../../support/property.ts';

const MIB = 1024 * 1024;
const SMALLEST = 5 * MIB;
/** Of a footer by itself: no client's part has this number, so that none is overwritten. */
const FOOTER = 10_000;

/** Parts as uploads would have made them: staged where they are too small. */
function parts(sizes: readonly number[]): PartRecord[] {
  return sizes.map((plaintextBytes, at) => ({
    partNumber: 3 * at + 1,
    staged: sealedPartBytes(plaintextBytes) < SMALLEST,
    plaintextBytes,
    partSalt: Buffer.alloc(16),
    storedAt: new Date(0),
    md5: undefined,
    checksum: undefined,
    etag: `e${at}`,
  }));
}

function plan(sizes: readonly number[]) {
  try {
    return planBackendParts(parts(sizes), {
      smallestBytes: SMALLEST,
      storedPartBytes: sealedPartBytes,
      endPartNumber: FOOTER,
    });
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
}

const shape = (sizes: readonly number[]) => {
  const planned = plan(sizes);
  return typeof planned === 'string'
    ? planned
    : planned.map((part) => (part.kind === 'held' ? part.partNumber : [part.partNumber, part.staged.length]));
};

describe('the plan of an upload’s backend parts', () => {
  it.each<[string, number[], unknown]>([
    ['large parts, and the footer alone', [5 * MIB, 9 * MIB], [1, 4, [FOOTER, 0]]],
    ['a small end takes the footer', [5 * MIB, 10], [1, [4, 1]]],
    ['one small part takes the footer', [10], [[1, 1]]],
    ['nothing but small ones', [MIB, MIB, MIB], [[1, 3]]],
    ['a run before a large part', [3 * MIB, 3 * MIB, 6 * MIB], [[1, 2], 7, [FOOTER, 0]]],
    ['a run too small before a large part', [3 * MIB, MIB, 6 * MIB], 'EntityTooSmall'],
    ['what is left over goes to the piece before', [...Array(18).fill(MIB), 6 * MIB], [[1, 18], 55, [FOOTER, 0]]],
    ['what is left over is large enough', [...Array(22).fill(MIB), 6 * MIB], [[1, 16], [49, 6], 67, [FOOTER, 0]]],
    [
      'at the end it need not be',
      Array(18).fill(MIB),
      [
        [1, 16],
        [49, 2],
      ],
    ],
  ])('%s', (_what, sizes, expected) => {
    expect(shape(sizes)).toEqual(expected);
  });

  it('has every part once and in order, nothing too small before the end, and no piece without bound', () => {
    const size = fc.oneof(fc.integer({ min: 0, max: 5 * MIB - 2000 }), fc.integer({ min: SMALLEST, max: 9 * MIB }));
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 60 }), (sizes) => {
        const planned = plan(sizes);
        if (typeof planned === 'string') return;
        const numbers = planned.flatMap((part) =>
          part.kind === 'held' ? [part.partNumber] : part.staged.map(({ partNumber }) => partNumber),
        );
        expect(numbers).toEqual(parts(sizes).map(({ partNumber }) => partNumber));
        for (const [at, part] of planned.entries()) {
          expect(part.partNumber).toBeGreaterThan(planned[at - 1]?.partNumber ?? 0);
          if (part.kind === 'held') continue;
          if (at < planned.length - 1) expect(part.storedBytes).toBeGreaterThanOrEqual(SMALLEST);
          expect(part.storedBytes).toBeLessThan(16 * MIB + 2 * SMALLEST);
        }
        expect(planned.at(-1)?.kind).toBe('sent');
      }),
    );
  });
});
