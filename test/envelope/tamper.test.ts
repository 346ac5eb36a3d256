import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sealEnvelope } from '../../src/envelope/envelope.ts';
import { Layout } from '../../src/envelope/layout.ts';
import { SEGMENT_BYTES as S, SEALED_SEGMENT_BYTES as SEALED, sealedPartBytes } from '../../src/envelope/sizes.ts';
import {
  expectRefused,
  flipped,
  KEK,
  multipartSample,
  openStream,
  openWhole,
  type Sample,
  sampleHead,
  singleSample,
  TENANT,
} from './sealed-sample.ts';

/** Both ways a reader has: the gateway's stream by a known layout, and the file with its footer. */
async function refusedEverywhere(sample: Sample, stored: Buffer): Promise<void> {
  await expectRefused(() => openStream(sample, stored, 50_000));
  await expectRefused(() => openWhole(stored, sample.envelope));
}

const segment = (stored: Buffer, index: number) => stored.subarray(64 + index * SEALED, 64 + (index + 1) * SEALED);

describe('a PutObject of three whole segments and a piece', async () => {
  const sample = await singleSample(randomBytes(3 * S + 1000));
  const { stored } = sample;
  const body = sample.layout.bodyBytes;
  const [header, footer] = [stored.subarray(0, 64), stored.subarray(body)];
  const [s0, s1, s2] = [segment(stored, 0), segment(stored, 1), segment(stored, 2)];
  const s3 = stored.subarray(64 + 3 * SEALED, body);

  test('opens as it is', async () => {
    expect(await openStream(sample, Buffer.concat([header, s0, s1, s2, s3, footer]))).toEqual(sample.plaintext);
  });

  test.each([
    ['part header: magic', 0, 4],
    ['part header: part number', 4, 6],
    ['part header: zero', 6, 8],
    ['part header: length', 8, 16],
    ['part header: oid', 16, 32],
    ['part header: part_salt', 32, 48],
    ['part header: MAC', 48, 64],
    ['first ciphertext byte', 64, 65],
    ['last ciphertext byte of a segment', 64 + S - 1, 64 + S],
    ['tag of a middle segment', 64 + SEALED + S, 64 + 2 * SEALED],
    ['ciphertext of the last segment', 64 + 3 * SEALED, 64 + 3 * SEALED + 3],
    ['tag of the last segment', 64 + 3 * SEALED + 1000, 64 + 3 * SEALED + 1016],
  ])('a flipped bit in %s', async (_, first, end) => {
    for (let at = first; at < end; at++) await refusedEverywhere(sample, flipped(stored, at, at % 8));
  });

  test('a flipped bit in footer or trailer, where the footer is read', async () => {
    for (const at of [240, 300, footer.length - 64, footer.length - 50, footer.length - 1]) {
      await expectRefused(() => openWhole(flipped(stored, body + at), sample.envelope));
    }
  });

  test.each([
    ['dropped', [s0, s2, s3]],
    ['the first dropped', [s1, s2, s3]],
    ['the last dropped', [s0, s1, s2]],
    ['duplicated', [s0, s1, s1, s2, s3]],
    ['repeated in place of another', [s0, s1, s1, s3]],
    ['reordered', [s1, s0, s2, s3]],
    ['rotated', [s3, s0, s1, s2]],
    ['the last one moved forward', [s0, s3, s1, s2]],
  ])('segments: %s', async (_, segments) => {
    await refusedEverywhere(sample, Buffer.concat([header, ...segments, footer]));
  });

  test('cut: to a segment boundary, in a segment, to nothing; and extended', async () => {
    for (const end of [0, 64, 64 + SEALED, 64 + 3 * SEALED, 64 + 3 * SEALED + 5, body - 1]) {
      await refusedEverywhere(sample, stored.subarray(0, end));
      await refusedEverywhere(sample, Buffer.concat([stored.subarray(0, end), footer]));
    }
    for (const end of [body, stored.length - 64, stored.length - 1]) {
      await expectRefused(() => openWhole(stored.subarray(0, end), sample.envelope));
    }
    await expectRefused(() => openWhole(Buffer.concat([stored, Buffer.alloc(1)]), sample.envelope));
    await expectRefused(() => openWhole(Buffer.concat([stored, footer]), sample.envelope));
    await expectRefused(() =>
      openWhole(Buffer.concat([stored.subarray(0, body), Buffer.alloc(16), footer]), sample.envelope),
    );
  });

  test('a whole object cut to a shorter one whose size is an E(n)', async () => {
    const shorter = await singleSample(sample.plaintext.subarray(0, S), { oid: sample.oid, dek: sample.dek });
    const forged = Buffer.concat([stored.subarray(0, 64 + SEALED), shorter.stored.subarray(64 + SEALED)]);
    await refusedEverywhere(shorter, forged);
    await expectRefused(() => openWhole(shorter.stored, sample.envelope));
  });

  test('another attempt at the same object: body, segments and footer do not mix', async () => {
    const attempt = await singleSample(sample.plaintext, { oid: sample.oid, dek: sample.dek });
    const other = attempt.stored;
    await refusedEverywhere(sample, Buffer.concat([other.subarray(0, body), footer]));
    await refusedEverywhere(sample, Buffer.concat([header, s0, segment(other, 1), s2, s3, footer]));
    await expectRefused(() => openWhole(other, sample.envelope));
  });

  test('another object: nothing of it fits, whole or in pieces', async () => {
    const other = await singleSample(sample.plaintext);
    await refusedEverywhere(sample, other.stored);
    await refusedEverywhere(sample, Buffer.concat([header, s0, segment(other.stored, 1), s2, s3, footer]));
    await refusedEverywhere(sample, Buffer.concat([other.stored.subarray(0, 64), stored.subarray(64)]));
    await expectRefused(() =>
      openWhole(Buffer.concat([stored.subarray(0, body), other.stored.subarray(body)]), sample.envelope),
    );
  });

  test('another tenant: its objects do not open here, ours do not open there', async () => {
    const theirs = await singleSample(sample.plaintext, { tenant: 'other' });
    await expectRefused(() => openWhole(theirs.stored, theirs.envelope));
    await expectRefused(() => openWhole(stored, sample.envelope, { tenant: 'other' }));
    await expectRefused(() => openWhole(stored, theirs.envelope, { tenant: 'other' }));
    await expectRefused(() => openWhole(stored, { recover: true }, { tenant: 'other' }));
    expect(await openWhole(theirs.stored, theirs.envelope, { tenant: 'other' })).toEqual(sample.plaintext);
  });

  test('an envelope sealed for another length, by someone with the keys', async () => {
    const { keys, oid, dek, layout } = sample;
    const partSalt = layout.locate(undefined)[0]?.partSalt as Buffer;
    const envelopeFor = (plaintextBytes: number) =>
      sealEnvelope({
        head: sampleHead({ oid }),
        keys,
        dek,
        fields: { locationTag: Buffer.alloc(16), metadataTag: Buffer.alloc(16), partSalt, plaintextBytes },
        kek: KEK,
        tenant: TENANT,
        envelopeSalt: randomBytes(16),
      });
    expect(await openWhole(stored, envelopeFor(sample.plaintext.length))).toEqual(sample.plaintext);
    await expectRefused(() => openWhole(stored, envelopeFor(sample.plaintext.length - 1)));
  });

  test('another KEK', async () => {
    const kek = createSecretKey(randomBytes(32));
    await expectRefused(() => openWhole(stored, sample.envelope, { kek }));
    await expectRefused(() => openWhole(stored, { recover: true }, { kek }));
  });
});

describe('a multipart object', async () => {
  const contents = [randomBytes(102_400), randomBytes(102_400), randomBytes(2 * S), randomBytes(10)];
  const sample = await multipartSample(contents);
  const { stored, layout } = sample;
  const cut = (whole: Buffer): Buffer[] => {
    const parts: Buffer[] = [];
    let at = 0;
    for (const { length } of contents) {
      const end = at + sealedPartBytes(length);
      parts.push(whole.subarray(at, end));
      at = end;
    }
    return [...parts, whole.subarray(at)];
  };
  const [p1, p2, p3, p4, footer] = cut(stored) as [Buffer, Buffer, Buffer, Buffer, Buffer];

  test('opens as it is', async () => {
    expect(await openStream(sample, Buffer.concat([p1, p2, p3, p4, footer]), 30_000)).toEqual(sample.plaintext);
  });

  test.each([
    ['two of one size swapped', [p2, p1, p3, p4]],
    ['one repeated in place of another', [p1, p1, p3, p4]],
    ['one dropped', [p1, p3, p4]],
    ['the last dropped', [p1, p2, p3]],
    ['one duplicated', [p1, p2, p2, p3, p4]],
    ['the last first', [p4, p1, p2, p3]],
  ])('parts: %s', async (_, parts) => {
    await refusedEverywhere(sample, Buffer.concat([...parts, footer]));
  });

  test('a flipped bit in any part header is seen when the header goes by', async () => {
    for (const headerFirst of [0, p1.length, p1.length + p2.length]) {
      for (let at = 0; at < 64; at++) {
        const forged = flipped(stored, headerFirst + at, at % 8);
        await expectRefused(() => openStream(sample, forged, 10_007));
      }
    }
  });

  test('the same part number of another attempt, same DEK, same size, even the same bytes', async () => {
    const attempt = await multipartSample(contents, { oid: sample.oid, dek: sample.dek });
    const [a1, a2, a3, a4, attemptFooter] = cut(attempt.stored) as [Buffer, Buffer, Buffer, Buffer, Buffer];
    await refusedEverywhere(sample, Buffer.concat([a1, p2, p3, p4, footer]));
    await refusedEverywhere(sample, Buffer.concat([p1, p2, a3, p4, footer]));
    await refusedEverywhere(sample, Buffer.concat([p1, p2, p3, a4, footer]));
    await expectRefused(() => openWhole(Buffer.concat([p1, p2, p3, p4, attemptFooter]), sample.envelope));
    await expectRefused(() => openWhole(Buffer.concat([p1, a2, p3, p4, attemptFooter]), sample.envelope));
    // Header of one attempt, segments of another.
    await refusedEverywhere(sample, Buffer.concat([p1, p2.subarray(0, 64), a2.subarray(64), p3, p4, footer]));
  });

  test('a part of another object of the same tenant, and of another tenant', async () => {
    for (const identity of [{}, { tenant: 'other' }]) {
      const foreign = cut((await multipartSample(contents, identity)).stored);
      await refusedEverywhere(sample, Buffer.concat([p1, foreign[1] as Buffer, p3, p4, footer]));
      await expectRefused(() => openWhole(Buffer.concat([p1, p2, p3, p4, foreign[4] as Buffer]), sample.envelope));
    }
  });

  test('segments do not move between parts', async () => {
    const swapped = Buffer.concat([p1.subarray(0, 64), p2.subarray(64, 64 + SEALED), p1.subarray(64 + SEALED)]);
    await refusedEverywhere(sample, Buffer.concat([swapped, p2, p3, p4, footer]));
  });

  test('a PutObject’s envelope does not pass for it, nor its own for a PutObject', async () => {
    const { keys, oid, dek, plaintext } = sample;
    const envelopeFor = (multipart: boolean) =>
      sealEnvelope({
        head: sampleHead({ oid, quantum: 2, multipart }),
        keys,
        dek,
        fields: {
          locationTag: Buffer.alloc(16),
          metadataTag: Buffer.alloc(16),
          partSalt: Buffer.alloc(16),
          plaintextBytes: multipart ? undefined : plaintext.length,
        },
        kek: KEK,
        tenant: TENANT,
        envelopeSalt: randomBytes(16),
      });
    await expectRefused(() => openWhole(stored, envelopeFor(false)));
    expect(await openWhole(stored, envelopeFor(true))).toEqual(plaintext);
    const single = await singleSample(plaintext, { oid, dek, quantum: 2 });
    await expectRefused(() => openWhole(single.stored, envelopeFor(true)));
  });

  test('a layout comes from the multipart footer only', () => {
    const { manifest } = sample;
    expect(Layout.fromManifest(manifest, 2).bodyBytes).toBe(layout.bodyBytes);
    expect(layout.storedBytes).toBe(stored.length);
    expect(() => Layout.fromManifest({ ...manifest, multipart: false, parts: [] }, 2)).toThrow(RangeError);
  });

  test('an empty last part is 16 bytes that count', async () => {
    const withEmpty = await multipartSample([randomBytes(102_400), Buffer.alloc(0)]);
    expect(await openStream(withEmpty)).toEqual(withEmpty.plaintext);
    await refusedEverywhere(withEmpty, flipped(withEmpty.stored, withEmpty.layout.bodyBytes - 1));
  });
});

describe('an empty object', async () => {
  const sample = await singleSample(Buffer.alloc(0));

  test('is authenticated too', async () => {
    expect(sample.stored).toHaveLength(528);
    expect(await openWhole(sample.stored, sample.envelope)).toHaveLength(0);
    for (let at = 0; at < 80; at++) await refusedEverywhere(sample, flipped(sample.stored, at));
    const other = await singleSample(Buffer.alloc(0));
    await refusedEverywhere(sample, other.stored);
  });
});
