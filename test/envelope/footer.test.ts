import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  footerBytesOf,
  type Manifest,
  multipartFooterBytes,
  openFooter,
  type PartEntry,
  readFooterEnvelope,
  sealFooter,
} from '../../src/envelope/footer.ts';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import {
  maxFooterBytes,
  type QuantumId,
  quantumBytes,
  sealedBytes,
  sealedPartBytes,
} from '../../src/envelope/sizes.ts';
import type { GatewayError } from '../../src/errors.ts';
import fc, { runs } from '../support/property.ts';
import { expectRefused, flipped, refusal } from './sealed-sample.ts';

const oid = randomBytes(16);
const keys = new ObjectKeys(randomBytes(32), oid);
const envelope = Buffer.concat([Buffer.from([1, 1]), randomBytes(182)]);
const footerSalt = randomBytes(16);

const single: Manifest = {
  multipart: false,
  plaintextBytes: 1000,
  md5: randomBytes(16),
  checksum: { algorithm: 'SHA256', value: randomBytes(32), composite: false },
  parts: [],
};
const CRC64 = Buffer.from('995dc9bbdf1939fa', 'hex');
const entry = (partNumber: number, plaintextBytes: number): PartEntry => ({
  partNumber,
  plaintextBytes,
  partSalt: randomBytes(16),
  md5: randomBytes(16),
  crc64: randomBytes(8),
});
const many: Manifest = {
  multipart: true,
  plaintextBytes: 205_000,
  md5: undefined,
  checksum: { algorithm: 'CRC32C', value: randomBytes(4), composite: true },
  parts: [entry(0, 102_400), entry(3, 102_400), entry(10_000, 200)],
};

function seal(manifest: Manifest, quantum: QuantumId = 2): { footer: Buffer; storedBytes: number } {
  const { parts, plaintextBytes } = manifest;
  const footerBytes =
    parts.length > 0
      ? multipartFooterBytes(parts, quantum, manifest.checksum)
      : maxFooterBytes(plaintextBytes, quantum);
  const footer = sealFooter({ keys, oid, envelope, manifest, footerBytes: footerBytes ?? 0, footerSalt });
  return { footer, storedBytes: sealedBytes(plaintextBytes, quantum) };
}

const open = (tail: Buffer, storedBytes: number, quantum: QuantumId = 2) =>
  openFooter(tail, { keys, oid, storedBytes, quantum });

describe('seal and open', () => {
  test.each([
    ['single', single],
    ['multipart', many],
    ['single with a CRC-64', { ...single, crc64: CRC64 }],
    ['single with a CRC-64 of zeros, as that of nothing is', { ...single, plaintextBytes: 0, crc64: Buffer.alloc(8) }],
    [
      'single with a CRC-64 behind a SHA-512',
      { ...single, checksum: { algorithm: 'SHA512', value: randomBytes(64), composite: false }, crc64: CRC64 },
    ],
    ['multipart with a CRC-64', { ...many, parts: many.parts.slice(0, 1), plaintextBytes: 102_400, crc64: CRC64 }],
  ] satisfies [string, Manifest][])('%s, also from a longer tail', (_, manifest) => {
    const { footer, storedBytes } = seal(manifest);
    const opened = { manifest, footerBytes: footer.length };
    expect(open(footer, storedBytes)).toEqual(opened);
    expect(open(Buffer.concat([randomBytes(100), footer]), storedBytes)).toEqual(opened);
    expect(footerBytesOf(footer.subarray(-64))).toBe(footer.length);
    expect(readFooterEnvelope(footer)).toEqual(envelope);
  });

  test.each([
    ['CRC32', 1, 4],
    ['CRC32C', 2, 4],
    ['CRC64NVME', 3, 8],
    ['SHA1', 4, 20],
    ['SHA256', 5, 32],
    ['MD5', 7, 16],
    ['XXHASH64', 8, 8],
    ['XXHASH3', 9, 8],
    ['XXHASH128', 10, 16],
  ] as const)('typed checksum %s', (algorithm, id, length) => {
    for (const composite of [false, true]) {
      const checksum = { algorithm, value: randomBytes(length), composite };
      const { footer, storedBytes } = seal({ ...single, checksum });
      expect(open(footer, storedBytes).manifest.checksum).toEqual(checksum);
      const field = manifestPlaintext(footer).subarray(28, 64);
      expect(field).toEqual(
        Buffer.concat([Buffer.from([id, composite ? 1 : 0, 0, 0]), checksum.value, Buffer.alloc(32 - length)]),
      );
    }
  });

  test.each([
    ['single', single],
    ['multipart', many],
  ])('a SHA-512 in a %s: half in its field, half behind the part list, no bit of it free', async (_, manifest) => {
    const checksum = { algorithm: 'SHA512', value: randomBytes(64), composite: manifest.multipart } as const;
    const { footer, storedBytes } = seal({ ...manifest, checksum });
    expect(open(footer, storedBytes).manifest).toEqual({ ...manifest, checksum });
    expect(footer.length).toBe(seal(manifest).footer.length);
    const plaintext = manifestPlaintext(footer);
    const end = 64 + 48 * manifest.parts.length + 32;
    expect(plaintext.subarray(28, 32)).toEqual(Buffer.from([6, manifest.multipart ? 1 : 0, 0, 0]));
    expect(Buffer.concat([plaintext.subarray(32, 64), plaintext.subarray(end - 32, end)])).toEqual(checksum.value);
    expect(footer.readUInt32BE(footer.length - 64 + 16)).toBe(end);
    // A trailer that does not count the second half, and an algorithm that has none, though the tag holds.
    const shorter = Buffer.from(footer);
    shorter.writeUInt32BE(end - 32, footer.length - 64 + 16);
    await expectRefused(() => open(reseal(shorter, plaintext), storedBytes));
    for (const id of [0, 5, 11]) {
      const other = Buffer.from(plaintext);
      other[28] = id;
      await expectRefused(() => open(reseal(footer, other), storedBytes));
    }
  });

  test('digests that were not computed are zero, and come back as absent', () => {
    const bare: Manifest = {
      ...many,
      md5: undefined,
      checksum: undefined,
      parts: many.parts.map((part) => ({ ...part, md5: undefined, crc64: undefined })),
    };
    const { footer, storedBytes } = seal(bare);
    expect(open(footer, storedBytes).manifest).toEqual(bare);
  });
});

describe('every field of the footer (FORMAT.md §4)', () => {
  const { footer, storedBytes } = seal(many);
  const from = footer.length - 64;

  test.each([
    ['manifest and its padding', 240, from],
    ['magic', from, from + 4],
    ['reserved', from + 6, from + 8],
    ['n', from + 8, from + 16],
    ['manifest length', from + 16, from + 20],
    ['F', from + 20, from + 24],
    ['foot_salt', from + 24, from + 40],
    ['zero', from + 40, from + 48],
    ['tag', from + 48, from + 64],
  ])('%s: no bit can change', async (_, first, end) => {
    for (let at = first; at < end; at++) {
      for (let bit = 0; bit < 8; bit++) await expectRefused(() => open(flipped(footer, at, bit), storedBytes));
    }
  });

  test.each([
    ['version', 4],
    ['suite', 5],
  ])('an unknown %s is refused with words of its own', async (what, offset) => {
    const changed = Buffer.from(footer);
    changed[from + offset] = 9;
    for (const work of [
      () => open(changed, storedBytes),
      () => footerBytesOf(changed),
      () => readFooterEnvelope(changed),
    ]) {
      const error = (await refusal(work)) as GatewayError;
      expect(error.code).toBe('ObjectCorrupted');
      expect(error.message).toContain(`names SX1 ${what} 9,`);
    }
  });

  test('the envelope’s copy plays no role in opening, and its padding is checked in recovery', async () => {
    expect(open(flipped(footer, 0), storedBytes).manifest).toEqual(many);
    for (let at = 184; at < 240; at++) await expectRefused(() => readFooterEnvelope(flipped(footer, at)));
  });

  test('another object’s footer, another place for it, another size', async () => {
    const other = new ObjectKeys(randomBytes(32), oid);
    const context = { keys, oid, storedBytes, quantum: 2 } as const;
    await expectRefused(() => openFooter(footer, { ...context, keys: other }));
    await expectRefused(() => openFooter(footer, { ...context, oid: randomBytes(16) }));
    await expectRefused(() => open(footer, storedBytes + 1));
    await expectRefused(() => open(footer, storedBytes - 128));
    await expectRefused(() => open(footer, storedBytes, 0));
    for (const length of [0, 1, 63, 64, 240, footer.length - 1]) {
      await expectRefused(() => open(length === 0 ? Buffer.alloc(0) : footer.subarray(-length), storedBytes));
    }
  });
});

describe('a writer with the keys that lies', () => {
  test('padding, versions, flags, sums and orders are checked although the tag holds', async () => {
    const { footer, storedBytes } = seal(many);
    const lies: [offset: number, value: number][] = [
      [0, 2], // manifest version
      [1, 0], // not multipart, but a list
      [1, 3], // unknown flag
      [3, 2], // fewer parts than the trailer says
      [3, 4], // more
      [11, 1], // another n
      [28, 11], // unknown checksum
      [28, 6], // one that is longer than what is there
      [28, 0], // no checksum, but a value
      [29, 2], // unknown kind
      [30, 1], // reserved
      [28 + 4 + 4, 1], // past the value's end
      [64 + 1, 4], // part numbers out of order
      [64 + 49, 0], // part number repeated
      [64 + 7, 1], // lengths that do not sum up
      [64 + 3 * 48, 1], // padding
    ];
    for (const [offset, value] of lies) {
      const plaintext = manifestPlaintext(footer);
      plaintext[offset] = value;
      await expectRefused(() => open(reseal(footer, plaintext), storedBytes));
    }
    expect(open(reseal(footer, manifestPlaintext(footer)), storedBytes).manifest).toEqual(many);
  });

  test('the manifest and the trailer must agree on n and on the length', async () => {
    const { footer, storedBytes } = seal(many);
    const from = footer.length - 64;
    for (const [offset, value] of [
      [15, 1],
      [19, 64],
      [10, 0xff],
      [9, 0x1f],
      [9, 0x20],
    ] as const) {
      const changed = Buffer.from(footer);
      changed[from + offset] = value;
      await expectRefused(() => open(reseal(changed, manifestPlaintext(footer)), storedBytes));
    }
  });

  test('reserved trailer bytes and unknown manifest flags are not excused by a tag', async () => {
    const { footer, storedBytes } = seal(many);
    for (const offset of [6, 7, 40, 47]) {
      const changed = Buffer.from(footer);
      changed[footer.length - 64 + offset] = 1;
      await expectRefused(() => open(reseal(changed, manifestPlaintext(footer)), storedBytes));
    }
    const lone = seal(single);
    const plaintext = manifestPlaintext(lone.footer);
    plaintext[1] = 2;
    await expectRefused(() => open(reseal(lone.footer, plaintext), lone.storedBytes));
  });

  test('a footer of another length, though E(n) is right; E of another n, though the lengths add up', async () => {
    const { footer, storedBytes } = seal(many);
    const longer = sealFooter({ keys, oid, envelope, manifest: many, footerBytes: footer.length + 1, footerSalt });
    await expectRefused(() => open(longer, storedBytes));
    await expectRefused(() => open(longer, storedBytes + 1));
    const another = Buffer.from(longer);
    another[longer.length - 64 + 15] = (another[longer.length - 64 + 15] as number) + 1;
    const forged = reseal(another, manifestPlaintext(longer));
    expect(storedBytes + 1).toBe(sealedBytes(many.plaintextBytes + 1, 2));
    await expectRefused(() => open(forged, storedBytes + 1));
  });

  test('the sealer refuses what a reader would refuse', () => {
    const lies: Manifest[] = [
      { ...single, multipart: true },
      { ...single, parts: many.parts },
      { ...many, parts: [] },
      { ...many, plaintextBytes: 205_001 },
      { ...many, parts: [...many.parts].reverse() },
      { ...many, parts: [entry(1, 102_400), entry(1, 102_600)] },
      { ...many, parts: [entry(10_001, 205_000)] },
      { ...many, parts: [entry(1, 204_999.5), entry(2, 0.5)] },
      { ...many, parts: [{ ...entry(1, 205_000), partSalt: Buffer.alloc(8) }] },
      { ...many, parts: [{ ...entry(1, 205_000), md5: Buffer.alloc(8) }] },
      { ...single, md5: Buffer.alloc(20) },
      { ...single, checksum: { algorithm: 'CRC32', value: Buffer.alloc(8) } },
      { ...single, checksum: { algorithm: 'CRC128' as never, value: Buffer.alloc(16) } },
    ];
    for (const manifest of lies) {
      const footerBytes = 304 + 64 + 48 * 5;
      expect(() => sealFooter({ keys, oid, envelope, manifest, footerBytes, footerSalt })).toThrow(RangeError);
    }
    for (const footerBytes of [0, -1, 304, 304 + 64 + 48 * 3 - 1]) {
      expect(() => sealFooter({ keys, oid, envelope, manifest: many, footerBytes, footerSalt })).toThrow(RangeError);
    }
  });
});

describe('the footer always fits (FORMAT.md §5)', () => {
  /** Beside the largest manifest, which has a SHA-512. */
  const spare = (parts: readonly number[], quantum: QuantumId): number => {
    const entries = parts.map((plaintextBytes) => ({ plaintextBytes }));
    const footerBytes = multipartFooterBytes(entries, quantum, { algorithm: 'SHA512' }) ?? Number.NaN;
    expect(multipartFooterBytes(entries, quantum, undefined)).toBe(footerBytes);
    return footerBytes - (304 + 64 + 48 * parts.length + 32);
  };

  test('random layouts of parts no smaller than the quantum, and an adversary’s', () => {
    const layouts = fc.constantFrom<QuantumId>(0, 1, 2).chain((quantum) => {
      const least = quantumBytes(quantum);
      const extra = fc.oneof(fc.constantFrom(0, 1, 65_535, 65_536, 65_537), fc.nat(3 * least));
      const last = fc.oneof(fc.constantFrom(0, 1, 65_536, 65_537), fc.nat(3 * least));
      return fc.record({ quantum: fc.constant(quantum), extras: fc.array(extra, { maxLength: 60 }), last });
    });
    fc.assert(
      fc.property(layouts, ({ quantum, extras, last }) => {
        const parts = [...extras.map((extra) => quantumBytes(quantum) + extra), last];
        expect(spare(parts, quantum)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: runs(5_000) },
    );
  });

  test.each([0, 1, 2] as const)('10,000 parts of quantum %i, at every awkward size', (quantum) => {
    const least = quantumBytes(quantum);
    for (const size of [least, least + 1, 2 * least - 1, 5_242_881]) {
      if (size < least) continue;
      for (const last of [0, 1, least - 1, least, 65_537]) {
        expect(spare([...Array<number>(9_999).fill(size), last], quantum)).toBeGreaterThanOrEqual(0);
      }
    }
  });

  test('where the list fits and the second half of a SHA-512 does not, it says so', () => {
    // Seven parts below the quantum, 5 MiB in all and each of whole segments: their list fits to the byte.
    const parts = [12, 12, 12, 12, 12, 12, 8].map((segments) => ({ plaintextBytes: segments * 65_536 }));
    expect(multipartFooterBytes(parts, 0, undefined)).toBe(304 + 64 + 48 * 7);
    expect(multipartFooterBytes(parts, 0, { algorithm: 'SHA512' })).toBeUndefined();
  });

  test('parts below the quantum may not fit, and then it says so', () => {
    const parts = Array.from({ length: 50 }, () => ({ plaintextBytes: 1000 }));
    expect(multipartFooterBytes(parts, 0, undefined)).toBeUndefined();
    expect(multipartFooterBytes(parts.slice(0, 1), 0, undefined)).toBe(sealedBytes(1000, 0) - sealedPartBytes(1000));
  });
});

/** The manifest as the footer's author sealed it. */
function manifestPlaintext(footer: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', keys.footerKey(footerSalt), Buffer.alloc(12));
  return cipher.update(footer.subarray(240, -64)); // GCM is a counter mode: enciphering undoes enciphering
}

function reseal(footer: Buffer, plaintext: Buffer): Buffer {
  const trailer = footer.subarray(-64, -16);
  const cipher = createCipheriv('aes-256-gcm', keys.footerKey(footerSalt), Buffer.alloc(12));
  cipher.setAAD(Buffer.concat([oid, trailer]));
  const sealed = cipher.update(plaintext);
  cipher.final();
  return Buffer.concat([footer.subarray(0, 240), sealed, trailer, cipher.getAuthTag()]);
}
