import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import { GatewayError } from '../../src/errors.ts';
import { stateId } from '../../src/uploads/state-id.ts';
import { formatHeader, type PartRecord, UploadRecords } from '../../src/uploads/upload-record.ts';
import fc from '../support/property.ts';

const ID = stateId({ tenant: 'acme', bucket: 'acme-box', key: 'key', uploadId: 'u1' });
const keys = new ObjectKeys(randomBytes(32), randomBytes(16));
const records = new UploadRecords({ id: ID, keys, randomBytes });
const envelope = randomBytes(184);

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((each) => Buffer.from(each));
const checksum = fc
  .constantFrom(
    ...([
      ['CRC32', 4],
      ['CRC32C', 4],
      ['CRC64NVME', 8],
      ['SHA1', 20],
      ['SHA256', 32],
      ['SHA512', 64],
      ['MD5', 16],
      ['XXHASH64', 8],
      ['XXHASH3', 8],
      ['XXHASH128', 16],
    ] as const),
  )
  .chain(([algorithm, length]) => bytes(length).map((value) => ({ algorithm, value })));
const part: fc.Arbitrary<PartRecord> = fc.record({
  partNumber: fc.integer({ min: 0, max: 10_000 }),
  staged: fc.boolean(),
  plaintextBytes: fc.integer({ min: 0, max: 5 * 1024 ** 3 }),
  partSalt: bytes(16),
  storedAt: fc.integer({ min: 0, max: 4e12 }).map((time) => new Date(time)),
  md5: fc.option(bytes(16), { nil: undefined }),
  checksum: fc.option(checksum, { nil: undefined }),
  etag: fc.oneof(fc.stringMatching(/^[0-9a-f]{32}$/), fc.stringMatching(/^[\x21\x23-\x7e]{1,60}$/)),
});

const isRefusal = (error: unknown) =>
  error instanceof GatewayError && error.code === 'ObjectCorrupted' && error.source === 'keys';
function refused(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch (error) {
    return isRefusal(error);
  }
}

describe('entries of an upload’s state', () => {
  it('parts come back as they were', () => {
    fc.assert(
      fc.property(part, (record) => {
        expect(records.open(records.sealPart(record))).toEqual({ part: record });
      }),
    );
  });

  it.each([
    [undefined],
    [{ algorithm: 'CRC32', composite: false } as const],
    [{ algorithm: 'SHA256', composite: true } as const],
    [{ algorithm: 'SHA512', composite: true } as const],
    [{ algorithm: 'XXHASH128', composite: true } as const],
  ])('the header comes back with checksum %j, and its envelope', (asked) => {
    const header = { createdAt: new Date(1_700_000_000_123), checksum: asked };
    const entry = records.sealHeader(envelope, header);
    expect(entry.length).toBe(222);
    expect(formatHeader(entry)).toEqual(envelope);
    expect(records.openHeader(entry)).toEqual(header);
    // The first gateways refuse a version that they do not know, and so an algorithm.
    expect(entry[1]).toBe(asked && ['SHA512', 'XXHASH128'].includes(asked.algorithm) ? 2 : 1);
  });

  it.each([undefined, 'v1'])('what is left of a completed upload comes back, version %s', (versionId) => {
    const completed = { listDigest: randomBytes(32), etag: 'e-2', versionId };
    expect(records.open(records.sealCompleted(completed))).toEqual({ completed });
  });

  const sample = (): PartRecord => ({
    partNumber: 1,
    staged: true,
    plaintextBytes: 5,
    partSalt: randomBytes(16),
    storedAt: new Date(),
    md5: undefined,
    checksum: undefined,
    etag: 'a'.repeat(32),
  });

  it('every changed bit, and every missing or further byte, is refused', () => {
    const entry = records.sealPart(sample());
    expect(entry.length).toBe(77);
    for (let bit = 0; bit < entry.length * 8; bit++) {
      const forged = Buffer.from(entry);
      forged[bit >> 3] = (forged[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(refused(() => records.open(forged))).toBe(true);
    }
    for (let length = 0; length < entry.length; length++) {
      expect(refused(() => records.open(entry.subarray(0, length)))).toBe(true);
    }
    expect(refused(() => records.open(Buffer.concat([entry, Buffer.alloc(1)])))).toBe(true);
    const header = records.sealHeader(envelope, { createdAt: new Date(), checksum: undefined });
    for (let at = 186; at < header.length; at++) {
      const forged = Buffer.from(header);
      forged[at] = (forged[at] as number) ^ 1;
      expect(refused(() => records.openHeader(forged))).toBe(true);
    }
    for (const at of [0, 1]) {
      const forged = Buffer.from(header);
      forged[at] = 9;
      expect(refused(() => formatHeader(forged))).toBe(true);
    }
  });

  it('an entry of another upload, of another kind or under another key is refused', () => {
    const entry = records.sealPart(sample());
    const other = new UploadRecords({
      id: stateId({ tenant: 'acme', bucket: 'acme-box', key: 'key', uploadId: 'u2' }),
      keys,
      randomBytes,
    });
    expect(refused(() => other.open(entry))).toBe(true);
    const stranger = new UploadRecords({ id: ID, keys: new ObjectKeys(randomBytes(32), randomBytes(16)), randomBytes });
    expect(refused(() => stranger.open(entry))).toBe(true);
    const relabelled = Buffer.from(entry);
    relabelled[0] = 2;
    expect(refused(() => records.open(relabelled))).toBe(true);
    const asHeader = Buffer.concat([Buffer.from([0, 1]), envelope, entry.subarray(1)]);
    expect(refused(() => records.openHeader(asHeader))).toBe(true);
  });

  it('show nothing of what they hold, and never look the same twice', () => {
    const record = { ...sample(), etag: 'visible-etag-visible-etag', md5: Buffer.alloc(16, 0x41) };
    const entry = records.sealPart(record);
    expect(entry.includes('visible')).toBe(false);
    expect(entry.includes(record.partSalt)).toBe(false);
    expect(records.sealPart(record).equals(entry)).toBe(false);
  });
});

describe('the name of an upload’s state', () => {
  it('differs in tenant, bucket, key and id, whatever characters they have', () => {
    const places = [
      ['acme', 'b', 'k', 'u'],
      ['acm', 'eb', 'k', 'u'],
      ['acme', 'b', 'ku', ''],
      ['acme', 'b', 'k","u', ''],
      ['acme', 'b', 'K', 'u'],
      ['other', 'b', 'k', 'u'],
    ] as const;
    const ids = places.map(([tenant, bucket, key, uploadId]) => stateId({ tenant, bucket, key, uploadId }));
    expect(new Set(ids).size).toBe(places.length);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{64}$/);
  });
});
