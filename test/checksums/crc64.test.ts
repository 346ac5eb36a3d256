import { describe, expect, it } from 'vitest';
import { crc64Of, crc64OfPieces, startCrc64 } from '../../src/checksums/crc64.ts';
import { payload } from '../support/payload.ts';

/** CRC-64/XZ bit by bit, as its definition reads. */
function slowly(bytes: Buffer): Buffer {
  let crc = 0xffffffffffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n;
  }
  return Buffer.from((crc ^ 0xffffffffffffffffn).toString(16).padStart(16, '0'), 'hex');
}

const decimal = (crc: Buffer | undefined) => crc?.readBigUInt64BE().toString();

describe('CRC-64/XZ', () => {
  it.each([
    ['', '0'],
    ['123456789', '11051210869376104954'],
    ['hello', '11177612005948864433'],
  ])('of %j is %s', async (text, expected) => {
    expect(decimal(crc64Of([Buffer.from(text)]))).toBe(expected);
    expect(decimal(crc64Of([...text].map((letter) => Buffer.from(letter))))).toBe(expected);
  });

  it('is what its definition says, however the bytes are cut', async () => {
    const bytes = payload(140_003, 3);
    const expected = slowly(bytes);
    for (const cut of [0, 1, 7, 15, 16, 17, 65_535, 65_536, 65_537, 131_072]) {
      expect(crc64Of([bytes.subarray(0, cut), bytes.subarray(cut)]), String(cut)).toEqual(expected);
    }
  });

  it('is computed of many bodies at a time, also where some broke off', async () => {
    startCrc64().update(Buffer.from('this one is never ended'));
    const running = Array.from({ length: 50 }, startCrc64);
    for (let round = 0; round < 3; round++)
      for (const [at, digest] of running.entries()) digest.update(Buffer.from(`${at} in round ${round}`));
    for (const [at, digest] of running.entries())
      expect(digest.digest()).toEqual(slowly(Buffer.from(`${at} in round 0${at} in round 1${at} in round 2`)));
    expect(decimal(crc64Of([Buffer.from('hello')]))).toBe('11177612005948864433');
  });
});

describe('the CRC-64 of pieces together', () => {
  const whole = payload(40_000, 5);
  const cut = async (...bounds: number[]) =>
    Promise.all(
      [...bounds, whole.length].map(async (end, at) => {
        const piece = whole.subarray(bounds[at - 1] ?? 0, end);
        return { plaintextBytes: piece.length, crc64: crc64Of([piece]) };
      }),
    );

  it.each([[[]], [[1]], [[16_384, 32_768]], [[7, 7, 39_999]], [[0, 40_000]]])('cut at %j', async (bounds) => {
    expect(await crc64OfPieces(await cut(...bounds))).toEqual(slowly(whole));
  });

  it('needs none of a piece without bytes, and is unknown where that of another is', async () => {
    const pieces = await cut(10, 10);
    const unknown = (nth: number) => pieces.map((piece, at) => (at === nth ? { ...piece, crc64: undefined } : piece));
    expect(await crc64OfPieces(unknown(1))).toEqual(slowly(whole));
    for (const nth of [0, 2]) expect(await crc64OfPieces(unknown(nth))).toBeUndefined();
    expect(decimal(await crc64OfPieces([]))).toBe('0');
  });
});
