import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { checkedPart } from '../../src/envelope/checked-part.ts';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import { sealPart } from '../../src/envelope/streams.ts';
import { GatewayError } from '../../src/errors.ts';
import { inPieces, payload } from '../support/payload.ts';

const keys = new ObjectKeys(randomBytes(32), randomBytes(16));
const oid = randomBytes(16);

async function* each(buffers: Iterable<Buffer>): AsyncGenerator<Buffer> {
  // As a socket would, the same memory comes again.
  const reused = Buffer.alloc(1_000_000);
  for (const buffer of buffers) {
    buffer.copy(reused);
    yield reused.subarray(0, buffer.length);
    reused.fill(0xee);
  }
}

async function gather(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function sample(bytes: number) {
  const part = { keys, oid, partNumber: 7, partSalt: randomBytes(16), plaintextBytes: bytes };
  return { part, stored: await gather(sealPart(each([payload(bytes)]), part)) };
}

async function fate(stored: Buffer, part: Parameters<typeof checkedPart>[1], pieceBytes = 70_001): Promise<string> {
  try {
    const passed = await gather(checkedPart(each(inPieces(stored, pieceBytes)), part));
    return passed.equals(stored) ? 'passed' : 'changed';
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error);
  }
}

describe('a sealed part that is passed on', () => {
  it.each([0, 1, 65_535, 65_536, 65_537, 200_000])(
    'of %i bytes comes out as it went in, in any pieces',
    async (bytes) => {
      const { part, stored } = await sample(bytes);
      for (const pieceBytes of [63, 64, 65, 65_552, stored.length])
        expect(await fate(stored, part, pieceBytes)).toBe('passed');
      if (bytes < 10) expect(await fate(stored, part, 1)).toBe('passed');
    },
  );

  it('is refused with a changed bit anywhere, too short, too long, or for another part', async () => {
    const { part, stored } = await sample(140_000);
    for (const at of [0, 5, 47, 63, 64, 65_599, 65_600, 131_200, stored.length - 17, stored.length - 1]) {
      const changed = Buffer.from(stored);
      changed[at] = (changed[at] as number) ^ 1;
      expect(await fate(changed, part)).toBe('ObjectCorrupted');
    }
    for (const length of [0, 10, 64, 65_616, stored.length - 1]) {
      expect(await fate(stored.subarray(0, length), part)).toBe('ObjectCorrupted');
    }
    expect(await fate(Buffer.concat([stored, Buffer.alloc(1)]), part)).toBe('ObjectCorrupted');
    expect(await fate(stored, { ...part, partNumber: 8 })).toBe('ObjectCorrupted');
    expect(await fate(stored, { ...part, partSalt: randomBytes(16) })).toBe('ObjectCorrupted');
    expect(await fate(stored, { ...part, oid: randomBytes(16) })).toBe('ObjectCorrupted');
  });
});
