import { describe, expect, test } from 'vitest';
import {
  largestPartPlaintext,
  maxFooterBytes,
  plaintextBytesOf,
  type QuantumId,
  quantumBytes,
  SEGMENT_BYTES,
  sealedBytes,
  sealedPartBytes,
} from '../../src/envelope/sizes.ts';
import fc, { runs } from '../support/property.ts';

const TIB = 1024 ** 4;
const quanta = fc.constantFrom<QuantumId>(0, 1, 2);

/** Values at which a ceiling, a floor or the cap of Q changes, and their neighbours. */
const edges = fc
  .record({
    quantum: quanta,
    parts: fc.oneof(fc.integer({ min: 0, max: 10_100 }), fc.constantFrom(0, 1, 9_998, 9_999, 10_000, 50_000)),
    segments: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 2 ** 30 })),
    near: fc.integer({ min: -17, max: 17 }),
  })
  .map(({ quantum, parts, segments, near }) => {
    const n = parts * quantumBytes(quantum) + segments * SEGMENT_BYTES + near;
    return { quantum, n: Math.max(0, n) };
  });
const anywhere = fc.record({
  quantum: quanta,
  n: fc.oneof(
    fc.nat(2 ** 31 - 1),
    fc.maxSafeNat().map((n) => Math.floor(n / 1.001)),
    fc.integer({ min: 0, max: 6 * TIB }),
  ),
});

describe('E(n)', () => {
  test.each([
    [0, 0, 528],
    [1, 0, 529],
    [5, 0, 533],
    [65_536, 0, 66_064],
    [65_537, 0, 66_081],
    [1_048_575, 0, 1_049_343],
    [1_048_576, 0, 1_049_472],
    [1024 ** 3, 0, 1024 ** 3 + 16 * 16_384 + 512 + 128 * 1024],
    [5 * TIB, 0, 5 * TIB + 16 * 83_886_080 + 512 + 128 * 9_999],
    [102_400, 2, 102_400 + 32 + 512 + 128],
    [5_242_880, 1, 5_242_880 + 1280 + 512 + 128],
  ] as const)('E(%i) for quantum %i is %i', (n, quantum, stored) => {
    expect(sealedBytes(n, quantum)).toBe(stored);
    expect(plaintextBytesOf(stored, quantum)).toBe(n);
  });

  test('inverts exactly, at edges and anywhere', () => {
    fc.assert(
      fc.property(fc.oneof(edges, anywhere), ({ n, quantum }) => {
        expect(plaintextBytesOf(sealedBytes(n, quantum), quantum)).toBe(n);
      }),
      { numRuns: runs(20_000) },
    );
  });

  test('increases strictly, and sizes in between are nobody’s', () => {
    fc.assert(
      fc.property(fc.oneof(edges, anywhere), ({ n, quantum }) => {
        const here = sealedBytes(n, quantum);
        const next = sealedBytes(n + 1, quantum);
        expect(next).toBeGreaterThan(here);
        for (let between = here + 1; between < next; between++) {
          expect(plaintextBytesOf(between, quantum)).toBeUndefined();
        }
      }),
      { numRuns: runs(3_000) },
    );
  });

  test('every stored size up to 3 MiB is the E(n) of at most one n', () => {
    for (const quantum of [0, 1, 2] as const) {
      let n = 0;
      for (let stored = 0; stored < 3 * 1024 ** 2; stored++) {
        const found = plaintextBytesOf(stored, quantum);
        if (found === undefined) continue;
        if (found !== n) expect(found).toBe(n);
        n++;
      }
      expect(n).toBeGreaterThan(3 * 1024 ** 2 - 10_000);
    }
  });

  test('takes safe, non-negative integers only', () => {
    for (const wrong of [-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER]) {
      expect(() => sealedBytes(wrong, 0)).toThrow(RangeError);
    }
    for (const wrong of [-1, 0, 527, 528.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
      expect(plaintextBytesOf(wrong, 0)).toBeUndefined();
    }
  });
});

test('a part is its header and at least one tag', () => {
  expect(sealedPartBytes(0)).toBe(80);
  expect(sealedPartBytes(SEGMENT_BYTES)).toBe(64 + SEGMENT_BYTES + 16);
  expect(sealedPartBytes(SEGMENT_BYTES + 1)).toBe(64 + SEGMENT_BYTES + 1 + 32);
});

test.each([5 * 1024 ** 3, 64 + 65_552, 64 + 65_552 + 17, 64 + 65_552 + 32, 1000])(
  'the largest part of at most %i stored bytes',
  (storedBytes) => {
    const most = largestPartPlaintext(storedBytes);
    expect(sealedPartBytes(most)).toBeLessThanOrEqual(storedBytes);
    expect(sealedPartBytes(most + 1)).toBeGreaterThan(storedBytes);
  },
);

test('the largest footer is that of one part', () => {
  expect(maxFooterBytes(5, 0)).toBe(448);
  expect(maxFooterBytes(1024 ** 3, 0)).toBe(448 + 128 * 1024);
  expect(maxFooterBytes(5 * TIB, 0)).toBe(448 + 128 * 9_999);
});
