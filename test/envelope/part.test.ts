import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import { PartSealer, readPartHeader, SegmentOpener } from '../../src/envelope/part.ts';
import { SEGMENT_BYTES as S, SEALED_SEGMENT_BYTES, sealedPartBytes } from '../../src/envelope/sizes.ts';
import type { GatewayError } from '../../src/errors.ts';
import { expectRefused, flipped, refusal } from './sealed-sample.ts';

const oid = randomBytes(16);
const keys = new ObjectKeys(randomBytes(32), oid);

function part(plaintextBytes: number, partNumber = 7) {
  return { keys, oid, partNumber, partSalt: randomBytes(16), plaintextBytes };
}

function segmentsOf(identity: ReturnType<typeof part>, plaintext: Buffer): Buffer {
  const sealer = new PartSealer(identity);
  return Buffer.concat([...sealer.push(plaintext), ...sealer.finish()]);
}

function opener(identity: ReturnType<typeof part>, firstSegment: number, lastSegment: number): SegmentOpener {
  return new SegmentOpener({ keys, header: identity, firstSegment, lastSegment });
}

describe('PartSealer', () => {
  test.each([0, 1, S - 1, S, S + 1, 2 * S, 3 * S + 5])('%i bytes seal to header and segments', (length) => {
    const identity = part(length);
    const sealed = segmentsOf(identity, randomBytes(length));
    expect(new PartSealer(identity).header().length + sealed.length).toBe(sealedPartBytes(length));
  });

  test('no byte of the last segment comes out before finish, however much was pushed', () => {
    const plaintext = randomBytes(2 * S);
    const sealer = new PartSealer(part(2 * S));
    const early = Buffer.concat(sealer.push(plaintext));
    expect(early).toHaveLength(SEALED_SEGMENT_BYTES);
    expect(Buffer.concat(sealer.finish())).toHaveLength(SEALED_SEGMENT_BYTES);
    for (const small of [0, 1, 20_000, S]) {
      expect(new PartSealer(part(small)).push(randomBytes(small))).toEqual([]);
    }
  });

  test('a whole segment in one chunk is one cipher call: ciphertext and tag', () => {
    const sealer = new PartSealer(part(3 * S));
    const out = sealer.push(randomBytes(2 * S));
    expect(out.map(({ length }) => length)).toEqual([S, 16, S, 16]);
  });

  test('how the plaintext is cut makes no difference to the bytes', () => {
    const plaintext = randomBytes(2 * S + 40_000);
    const identity = part(plaintext.length);
    const whole = segmentsOf(identity, plaintext);
    for (const chunkBytes of [1, 7, 16_383, 16_384, 16_385, 40_001, S - 1, S + 1]) {
      const sealer = new PartSealer(identity);
      const out: Buffer[] = [];
      for (let at = 0; at < plaintext.length; at += chunkBytes) {
        const chunk = Buffer.from(plaintext.subarray(at, at + chunkBytes));
        out.push(...sealer.push(chunk));
        chunk.fill(0); // pushed buffers are free at once
      }
      expect(Buffer.concat([...out, ...sealer.finish()]).equals(whole)).toBe(true);
    }
  });

  test.each([
    ['more than announced', (sealer: PartSealer) => sealer.push(Buffer.alloc(11))],
    [
      'more than announced, in pieces',
      (sealer: PartSealer) => [...sealer.push(Buffer.alloc(10)), ...sealer.push(Buffer.alloc(1))],
    ],
    ['less than announced', (sealer: PartSealer) => [...sealer.push(Buffer.alloc(9)), ...sealer.finish()]],
    [
      'finished twice',
      (sealer: PartSealer) => [...sealer.push(Buffer.alloc(10)), ...sealer.finish(), ...sealer.finish()],
    ],
    [
      'pushed after the end',
      (sealer: PartSealer) => [...sealer.push(Buffer.alloc(10)), ...sealer.finish(), ...sealer.push(Buffer.alloc(0))],
    ],
  ])('%s is the gateway’s own error', async (_, misuse) => {
    const error = (await refusal(() => misuse(new PartSealer(part(10))))) as GatewayError;
    expect(error).toMatchObject({ code: 'InternalError', source: 'gateway' });
  });

  test('the same bytes sent twice under one number share no ciphertext: the salt is per attempt', () => {
    const plaintext = randomBytes(S);
    const first = segmentsOf(part(S), plaintext);
    const second = segmentsOf(part(S), plaintext);
    const equal = first.filter((byte, at) => byte === second[at]).length;
    expect(equal).toBeLessThan(S / 100);
  });
});

describe('part header (FORMAT.md §4)', () => {
  const identity = part(123_456, 65_535);
  const header = new PartSealer(identity).header();

  test('layout', () => {
    expect(header).toHaveLength(64);
    expect(header.toString('latin1', 0, 4)).toBe('SXP1');
    expect(header.readUInt16BE(4)).toBe(65_535);
    expect(header.readUInt16BE(6)).toBe(0);
    expect(header.readBigUInt64BE(8)).toBe(123_456n);
    expect(header.subarray(16, 32)).toEqual(oid);
    expect(header.subarray(32, 48)).toEqual(identity.partSalt);
    const { partNumber, plaintextBytes, partSalt } = identity;
    expect(readPartHeader(header, keys)).toEqual({ partNumber, plaintextBytes, partSalt, oid });
  });

  test('no bit can change, none can be missing, no other object can read it', async () => {
    for (let at = 0; at < 64; at++) {
      for (let bit = 0; bit < 8; bit++) await expectRefused(() => readPartHeader(flipped(header, at, bit), keys));
    }
    await expectRefused(() => readPartHeader(header.subarray(0, 63), keys));
    await expectRefused(() => readPartHeader(header, new ObjectKeys(randomBytes(32), oid)));
  });

  test('a MAC does not excuse a wrong magic, reserved bytes or an impossible length', async () => {
    for (const [offset, value] of [
      [0, 0x54],
      [6, 1],
      [7, 1],
      [8, 0xff],
    ] as const) {
      const header48 = Buffer.from(header.subarray(0, 48));
      header48[offset] = value;
      await expectRefused(() => readPartHeader(Buffer.concat([header48, keys.partHeaderTag(header48)]), keys));
    }
  });
});

describe('SegmentOpener', () => {
  const plaintext = randomBytes(3 * S + 100);
  const identity = part(plaintext.length);
  const sealed = segmentsOf(identity, plaintext);
  const stored = (first: number, last: number) =>
    sealed.subarray(first * SEALED_SEGMENT_BYTES, (last + 1) * SEALED_SEGMENT_BYTES);

  test.each([1, 1000, SEALED_SEGMENT_BYTES, SEALED_SEGMENT_BYTES + 1, 1_000_000])(
    'any run, in chunks of %i',
    (chunkBytes) => {
      for (const [first, last] of [
        [0, 3],
        [0, 0],
        [1, 2],
        [3, 3],
      ] as const) {
        if (chunkBytes === 1 && last - first > 0) continue;
        const open = opener(identity, first, last);
        const bytes = stored(first, last);
        const out: Buffer[] = [];
        for (let at = 0; at < bytes.length; at += chunkBytes)
          out.push(...open.push(bytes.subarray(at, at + chunkBytes)));
        open.finish();
        expect(Buffer.concat(out).equals(plaintext.subarray(first * S, (last + 1) * S))).toBe(true);
      }
    },
  );

  test('a segment’s plaintext does not come before its tag', () => {
    const open = opener(identity, 0, 3);
    expect(open.push(sealed.subarray(0, SEALED_SEGMENT_BYTES - 1))).toEqual([]);
    expect(open.push(sealed.subarray(SEALED_SEGMENT_BYTES - 1, SEALED_SEGMENT_BYTES))).toHaveLength(1);
  });

  test('missing bytes, surplus bytes', async () => {
    await expectRefused(() => opener(identity, 0, 0).finish());
    await expectRefused(() => {
      const open = opener(identity, 0, 3);
      open.push(sealed.subarray(0, -1));
      open.finish();
    });
    await expectRefused(() => opener(identity, 0, 3).push(Buffer.concat([sealed, Buffer.alloc(1)])));
    await expectRefused(() => opener(identity, 0, 0).push(stored(0, 1)));
  });

  test('a middle segment is not a last one, nor the reverse', async () => {
    await expectRefused(() =>
      new SegmentOpener({ keys, header: { ...identity, plaintextBytes: S }, firstSegment: 0, lastSegment: 0 }).push(
        stored(0, 0),
      ),
    );
    await expectRefused(() => opener(identity, 1, 1).push(stored(0, 0)));
  });

  test('a run outside the part is a programming error', () => {
    for (const [first, last] of [
      [-1, 0],
      [1, 0],
      [0, 4],
      [Number.NaN, 0],
    ] as const) {
      expect(() => opener(identity, first, last)).toThrow(RangeError);
    }
  });
});
