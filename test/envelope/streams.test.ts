import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { openFooter } from '../../src/envelope/footer.ts';
import { plaintextBytesOf, SEGMENT_BYTES as S, sealedBytes, sealedPartBytes } from '../../src/envelope/sizes.ts';
import { openSlices, sealObject, sealPart } from '../../src/envelope/streams.ts';
import type { GatewayError } from '../../src/errors.ts';
import fc, { runs } from '../support/property.ts';
import {
  each,
  expectRefused,
  gather,
  multipartSample,
  openStream,
  openWhole,
  refusal,
  type Sample,
  singleSample,
} from './sealed-sample.ts';

const MIB = 1024 ** 2;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const LENGTHS = [0, 1, S - 1, S, S + 1, 2 * S, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1];
const pool = randomBytes(5 * MIB + 1);

function sealed(plaintext: Buffer, chunkBytes: number, like: Sample): AsyncGenerator<Buffer, void, void> {
  const { keys, oid, envelope, quantum } = like;
  const { partSalt } = like.layout.locate(undefined)[0] as { partSalt: Buffer };
  const plaintextBytes = plaintext.length;
  const options = { keys, oid, envelope, quantum, partSalt, plaintextBytes, footerSalt: Buffer.alloc(16, 5) };
  return sealObject(each(plaintext, chunkBytes), { ...options, manifest: () => ({}) });
}

describe.each(LENGTHS)('%i bytes', (length) => {
  const plaintext = pool.subarray(0, length);
  const chunkings = [8_191, 200_003, Math.max(1, length)];
  if (length <= 2 * S) chunkings.push(1);

  test.each(chunkings)('open ∘ seal is the identity, in chunks of %i', async (chunkBytes) => {
    const sample = await singleSample(plaintext);
    const stored = await gather(sealed(plaintext, chunkBytes, sample));
    expect(stored.length).toBe(sealedBytes(length, 0));
    expect(plaintextBytesOf(stored.length, 0)).toBe(length);
    expect((await openStream(sample, stored, chunkBytes)).equals(plaintext)).toBe(true);
    expect((await openWhole(stored, sample.envelope)).equals(plaintext)).toBe(true);
  });

  test('as the parts of a multipart object, an empty last one included', async () => {
    const parts = [
      pool.subarray(0, 102_400),
      plaintext.length < 102_400 ? pool.subarray(0, 102_401) : plaintext,
      plaintext,
    ];
    for (const sample of [
      await multipartSample(parts),
      await multipartSample([...parts.slice(0, 2), Buffer.alloc(0)]),
    ]) {
      expect(sample.stored.length).toBe(sealedBytes(sample.plaintext.length, 2));
      expect((await openStream(sample, sample.stored, 70_001)).equals(sample.plaintext)).toBe(true);
      expect((await openWhole(sample.stored, sample.envelope)).equals(sample.plaintext)).toBe(true);
    }
  });

  test('sealPart is header and segments of exactly the announced size', async () => {
    const { keys, oid } = await singleSample(Buffer.alloc(0));
    const options = { keys, oid, partNumber: 4, partSalt: randomBytes(16), plaintextBytes: length };
    expect((await gather(sealPart(each(plaintext, 50_000), options))).length).toBe(sealedPartBytes(length));
  });
});

test('open ∘ seal is the identity for random lengths and chunkings', async () => {
  const cases = fc.record({
    length: fc.nat(300_000),
    seal: fc.integer({ min: 100, max: 400_000 }),
    open: fc.integer({ min: 100, max: 400_000 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ length, seal, open }) => {
      const plaintext = pool.subarray(0, length);
      const sample = await singleSample(plaintext);
      expect((await openStream(sample, await gather(sealed(plaintext, seal, sample)), open)).equals(plaintext)).toBe(
        true,
      );
    }),
    { numRuns: 60 },
  );
});

describe('a ranged read is the slice of the plaintext', () => {
  async function check(sample: Sample, first: number, last: number, chunkBytes: number, early: number): Promise<void> {
    const { keys, oid, layout, stored, plaintext } = sample;
    const slices = layout.locate({ first, last });
    const begin = Math.max(0, (slices[0]?.storedFirst ?? 0) - early);
    const end = (slices.at(-1)?.storedLast ?? 0) + 1;
    const source = each(stored.subarray(begin, end), chunkBytes);
    const read = await gather(openSlices(source, { keys, oid, slices, storedFirst: begin }));
    expect(read.equals(plaintext.subarray(first, last + 1))).toBe(true);
    // Segment-exact: no slice is longer than the segments that it touches, and each is wanted.
    for (const slice of slices) {
      const segments = slice.lastSegment - slice.firstSegment + 1;
      expect(slice.takeBytes).toBeGreaterThan(0);
      expect(slice.takeBytes + slice.skipBytes).toBeGreaterThan((segments - 1) * S);
      expect(slice.storedLast - slice.storedFirst + 1).toBeLessThanOrEqual(segments * (S + 16));
    }
  }
  const ranges = (bytes: number) =>
    fc
      .tuple(
        fc.nat(bytes - 1),
        fc.nat(bytes - 1),
        fc.constantFrom(1_009, 65_536, 1_000_000),
        fc.constantFrom(0, 1, 64, 65_616),
      )
      .map(([one, other, chunk, early]) => [Math.min(one, other), Math.max(one, other), chunk, early] as const);

  test('of a PutObject', async () => {
    const sample = await singleSample(pool.subarray(0, 4 * S + 777));
    const bytes = sample.plaintext.length;
    for (const [first, last] of [
      [0, 0],
      [0, bytes - 1],
      [bytes - 1, bytes - 1],
      [S - 1, S],
      [S, 2 * S - 1],
      [2 * S, 2 * S],
    ] as const) {
      await check(sample, first, last, 10_000, 0);
    }
    await fc.assert(
      fc.asyncProperty(ranges(bytes), (range) => check(sample, ...range)),
      { numRuns: runs(150) },
    );
  });

  test('of a multipart object, over part boundaries and empty parts', async () => {
    const sizes = [102_400, S * 2, 0, 102_401, 200_000, S * 3 + 1, 250_000, 0];
    const parts: Buffer[] = [];
    let at = 0;
    for (const size of sizes) {
      parts.push(pool.subarray(at, at + size));
      at += size;
    }
    const sample = await multipartSample(parts);
    let edge = 0;
    for (const size of sizes.slice(0, -2)) {
      edge += size;
      await check(sample, edge - 1, edge, 10_000, 0);
      await check(sample, edge, edge, 10_000, 64);
    }
    await fc.assert(
      fc.asyncProperty(ranges(sample.plaintext.length), (range) => check(sample, ...range)),
      { numRuns: runs(200) },
    );
  });

  test('a range outside the object is a programming error', async () => {
    const { layout } = await singleSample(pool.subarray(0, 10));
    for (const [first, last] of [
      [-1, 0],
      [0, 10],
      [5, 4],
      [0.5, 1],
      [10, 10],
    ] as const) {
      expect(() => layout.locate({ first, last })).toThrow(RangeError);
    }
    const empty = await singleSample(Buffer.alloc(0));
    expect(() => empty.layout.locate({ first: 0, last: 0 })).toThrow(RangeError);
  });

  test('a source that begins after the slices is a programming error', async () => {
    const { keys, oid, layout, stored } = await singleSample(pool.subarray(0, 10));
    const read = openSlices(each(stored), { keys, oid, slices: layout.locate(undefined), storedFirst: 65 });
    await expect(gather(read)).rejects.toThrow(RangeError);
  });
});

describe('what a bad upload leaves', () => {
  const length = 3 * S;
  const failure = new Error('signature of the last chunk');
  async function* bad(): AsyncGenerator<Buffer, void, void> {
    yield pool.subarray(0, length);
    throw failure;
  }

  test('the source’s error comes out, after no byte of the last segment nor of the footer', async () => {
    const { keys, oid, envelope } = await singleSample(Buffer.alloc(0));
    const asked: string[] = [];
    const options = {
      keys,
      oid,
      envelope,
      partSalt: randomBytes(16),
      footerSalt: randomBytes(16),
      plaintextBytes: length,
    };
    const manifest = () => {
      asked.push('manifest');
      return {};
    };
    const out: Buffer[] = [];
    const work = async () => {
      for await (const block of sealObject(bad(), { ...options, quantum: 0, manifest })) out.push(Buffer.from(block));
    };
    expect(await refusal(work)).toBe(failure);
    expect(Buffer.concat(out).length).toBeLessThanOrEqual(64 + 2 * (S + 16));
    expect(asked).toEqual([]);
  });

  test.each([length - 1, length + 1, 0])('%i bytes instead of those announced are refused', async (sent) => {
    const { keys, oid, envelope } = await singleSample(Buffer.alloc(0));
    const options = {
      keys,
      oid,
      envelope,
      partSalt: randomBytes(16),
      footerSalt: randomBytes(16),
      plaintextBytes: length,
    };
    const sealing = sealObject(each(pool.subarray(0, sent)), { ...options, quantum: 0, manifest: () => ({}) });
    const error = (await refusal(() => gather(sealing))) as GatewayError;
    expect(error).toMatchObject({ code: 'InternalError', source: 'gateway' });
  });
});

describe('how it moves bytes', () => {
  test('a small object is one buffer; a large one few', async () => {
    const buffers = async (length: number) => {
      const plaintext = pool.subarray(0, length);
      const out: number[] = [];
      for await (const block of sealed(plaintext, 65_536, await singleSample(plaintext))) out.push(block.length);
      return out;
    };
    for (const length of [0, 5, 4096, S, S + 1, 3 * S]) expect(await buffers(length)).toEqual([sealedBytes(length, 0)]);
    expect(await buffers(5 * MIB)).toHaveLength(Math.ceil(sealedBytes(5 * MIB, 0) / (4 * (S + 16))));
  });

  test('opening stops after the last slice and ends the source', async () => {
    const { keys, oid, layout, stored, plaintext } = await singleSample(pool.subarray(0, 3 * S));
    let pulled = 0;
    let ended = false;
    async function* source(): AsyncGenerator<Buffer, void, void> {
      try {
        for (let at = 0; at < stored.length; at += 1000) {
          pulled = at + 1000;
          yield stored.subarray(at, at + 1000);
        }
      } finally {
        ended = true;
      }
    }
    const slices = layout.locate({ first: 0, last: 9 });
    expect(await gather(openSlices(source(), { keys, oid, slices, storedFirst: 0 }))).toEqual(
      plaintext.subarray(0, 10),
    );
    expect(pulled).toBe(66_000);
    expect(ended).toBe(true);
  });

  test('ranges that begin and end within segments leave no memory behind', async () => {
    const { keys, oid, layout, stored } = await singleSample(pool.subarray(0, 3 * S));
    const slices = layout.locate({ first: 100, last: 3 * S - 5_000 });
    // Chunks that hold no whole segment: one is gathered.
    async function* source(): AsyncGenerator<Buffer, void, void> {
      for (let at = 0; at < stored.length; at += 60_000) yield stored.subarray(at, at + 60_000);
    }
    collectGarbage(); // what is due from before must not come in between, and take ours along
    const before = process.memoryUsage().arrayBuffers;
    for (let times = 0; times < 100; times++) {
      for await (const _ of openSlices(source(), { keys, oid, slices, storedFirst: 0 }));
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MIB);
  });

  test('a consumer that leaves early ends the source', async () => {
    const sample = await singleSample(pool.subarray(0, 5 * MIB));
    let ended = false;
    async function* source(bytes: Buffer): AsyncGenerator<Buffer, void, void> {
      try {
        yield* each(bytes, 65_536);
      } finally {
        ended = true;
      }
    }
    const { keys, oid, layout, stored, envelope } = sample;
    for await (const _ of openSlices(source(stored), { keys, oid, slices: layout.locate(undefined), storedFirst: 0 }))
      break;
    expect(ended).toBe(true);
    ended = false;
    const options = {
      keys,
      oid,
      envelope,
      partSalt: randomBytes(16),
      footerSalt: randomBytes(16),
      plaintextBytes: 5 * MIB,
    };
    for await (const _ of sealObject(source(sample.plaintext), { ...options, quantum: 0, manifest: () => ({}) })) break;
    expect(ended).toBe(true);
  });

  test('no empty buffer is ever yielded: an empty part is read for its tag alone', async () => {
    const samples = [
      await singleSample(Buffer.alloc(0)),
      await multipartSample([pool.subarray(0, 102_400), Buffer.alloc(0)]),
    ];
    for (const { keys, oid, layout, stored } of samples) {
      const slices = layout.locate(undefined);
      for await (const piece of openSlices(each(stored), { keys, oid, slices, storedFirst: 0 })) {
        expect(piece.length).toBeGreaterThan(0);
      }
    }
  });

  test('cipher seconds are told once, where asked for', async () => {
    const { keys, oid, envelope } = await singleSample(Buffer.alloc(0));
    const seconds: number[] = [];
    const options = {
      keys,
      oid,
      envelope,
      partSalt: randomBytes(16),
      footerSalt: randomBytes(16),
      plaintextBytes: MIB,
    };
    const onCipher = (spent: number) => seconds.push(spent);
    await gather(
      sealObject(each(pool.subarray(0, MIB), 9_999), { ...options, quantum: 0, manifest: () => ({}), onCipher }),
    );
    expect(seconds).toHaveLength(1);
    expect(seconds[0]).toBeGreaterThan(0);
    expect(seconds[0]).toBeLessThan(5);
  });

  test('digests go into the footer as they stood when the source had ended', async () => {
    const { keys, oid, envelope } = await singleSample(Buffer.alloc(0));
    let md5: Buffer | undefined;
    async function* source(): AsyncGenerator<Buffer, void, void> {
      yield Buffer.from('hello');
      md5 = Buffer.alloc(16, 3);
    }
    const options = { keys, oid, envelope, partSalt: randomBytes(16), footerSalt: randomBytes(16), plaintextBytes: 5 };
    const checksum = { algorithm: 'CRC32', value: Buffer.from('3610a686', 'hex') } as const;
    const stored = await gather(sealObject(source(), { ...options, quantum: 0, manifest: () => ({ md5, checksum }) }));
    const { manifest } = openFooter(stored, { keys, oid, storedBytes: stored.length, quantum: 0 });
    expect(manifest.md5).toEqual(md5);
    expect(manifest.checksum).toMatchObject(checksum);
  });
});

test('a truncated stream is refused wherever it ends, and releases only whole verified segments', async () => {
  const sample = await singleSample(pool.subarray(0, 2 * S + 50));
  const { keys, oid, layout, stored, plaintext } = sample;
  const body = layout.bodyBytes;
  for (const end of [0, 1, 63, 64, 65, 64 + S, 64 + S + 16, 64 + S + 17, 64 + 2 * (S + 16), body - 16, body - 1]) {
    const out: Buffer[] = [];
    await expectRefused(async () => {
      const slices = layout.locate(undefined);
      for await (const piece of openSlices(each(stored.subarray(0, end), 9_000), { keys, oid, slices, storedFirst: 0 }))
        out.push(Buffer.from(piece));
    });
    const released = Buffer.concat(out);
    expect(released.length % S).toBe(0);
    expect(released.equals(plaintext.subarray(0, released.length))).toBe(true);
  }
});
