import { createHash, createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { crc64Of } from '../../src/checksums/crc64.ts';
import { decodeEnvelope, encodeEnvelope, openEnvelope, sealEnvelope } from '../../src/envelope/envelope.ts';
import { openFooter } from '../../src/envelope/footer.ts';
import { hmacSha256 } from '../../src/envelope/hmac.ts';
import { encodeManifest } from '../../src/envelope/manifest.ts';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import { boundPartHeader } from '../../src/envelope/part-header.ts';
import { plaintextBytesOf, sealedBytes } from '../../src/envelope/sizes.ts';
import { type ObjectDigests, sealObject } from '../../src/envelope/streams.ts';
import { each, gather, openWhole, sampleHead } from './sealed-sample.ts';

const vector = JSON.parse(readFileSync(new URL('../vectors/envelope/hello.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, string>
> & { readonly kekVersion: number; readonly storedBytes: number };
const bytes = (name: string): Buffer => Buffer.from(vector[name] as string, 'hex');

const oid = bytes('oid');
const dek = bytes('dek');
const partSalt = bytes('partSalt');
const plaintext = bytes('plaintext');
const plaintextBytes = plaintext.length;
const kek = createSecretKey(bytes('kek'));
const tenant = vector.tenant as string;
const keys = new ObjectKeys(dek, oid);

const envelope = sealEnvelope({
  head: sampleHead({ oid, hasLocationClaim: false, keyRingId: vector.keyRingId, kekVersion: vector.kekVersion }),
  keys,
  dek,
  fields: {
    locationTag: keys.locationTag(vector.bucket as string, vector.key as string),
    metadataTag: Buffer.alloc(16),
    partSalt,
    plaintextBytes,
  },
  kek,
  tenant,
  envelopeSalt: bytes('envelopeSalt'),
});

async function body(digests: ObjectDigests = {}): Promise<Buffer> {
  const footerSalt = bytes('footerSalt');
  const manifest = () => ({ md5: bytes('md5'), ...digests });
  return gather(
    sealObject(each(plaintext), { keys, oid, partSalt, plaintextBytes, quantum: 0, envelope, footerSalt, manifest }),
  );
}

describe('known answers (FORMAT.md §10)', () => {
  test('keys', () => {
    expect(hmacSha256(oid, dek)).toEqual(bytes('prk'));
    expect(keys.commit).toEqual(bytes('commit'));
    const header48 = boundPartHeader({ oid, partNumber: 0, partSalt, plaintextBytes });
    expect(keys.partKey(header48).export()).toEqual(bytes('partKey'));
    expect(keys.footerKey(bytes('footerSalt')).export()).toEqual(bytes('footerKey'));
    expect(keys.locationTag('bkt', 'hello.txt')).toEqual(bytes('locationTag'));
  });

  test('envelope, and its text form of 246 characters', () => {
    expect(envelope).toEqual(bytes('envelope'));
    const text = encodeEnvelope(envelope);
    expect(text).toHaveLength(246);
    expect(decodeEnvelope(text)).toEqual(envelope);
  });

  test('the envelope opens; loc_tag is filled although its flag is clear', () => {
    const opened = openEnvelope(bytes('envelope'), { kek, tenant });
    expect(opened.head.hasLocationClaim).toBe(false);
    expect(opened.fields.locationTag).toEqual(bytes('locationTag'));
    expect(opened.fields).toMatchObject({ partSalt, plaintextBytes: 5, metadataTag: Buffer.alloc(16) });
    expect(opened.dek).toEqual(dek);
  });

  test('body: header, segment, trailer, and the whole', async () => {
    const stored = await body();
    expect(stored).toHaveLength(vector.storedBytes);
    expect(sealedBytes(plaintextBytes, 0)).toBe(vector.storedBytes);
    expect(plaintextBytesOf(vector.storedBytes, 0)).toBe(plaintextBytes);
    expect(stored.subarray(0, 85)).toEqual(bytes('partHeaderAndSegment'));
    expect(stored.subarray(-64)).toEqual(bytes('trailerAndTag'));
    expect(createHash('sha256').update(stored).digest('hex')).toBe(vector.bodySha256);
  });

  test('the body opens, with the envelope from metadata and from the footer', async () => {
    const stored = await body();
    expect(await openWhole(stored, bytes('envelope'), { kek, tenant })).toEqual(plaintext);
    expect(await openWhole(stored, { recover: true }, { kek, tenant })).toEqual(plaintext);
    const { manifest } = openFooter(stored, { keys, oid, storedBytes: stored.length, quantum: 0 });
    expect(manifest).toEqual({
      multipart: false,
      plaintextBytes: 5,
      md5: bytes('md5'),
      checksum: undefined,
      parts: [],
    });
  });

  test('with a CRC-64 (§10.6)', async () => {
    const { crc64, manifest, trailerAndTag, bodySha256 } = JSON.parse(
      readFileSync(new URL('../vectors/envelope/crc64.json', import.meta.url), 'utf8'),
    ) as Readonly<Record<string, string>>;
    const value = Buffer.from(crc64 as string, 'hex');
    expect(crc64Of([plaintext])).toEqual(value);
    const stored = await body({ crc64: value });
    expect(stored).toHaveLength(vector.storedBytes);
    expect(stored.subarray(-64).toString('hex')).toBe(trailerAndTag);
    expect(createHash('sha256').update(stored).digest('hex')).toBe(bodySha256);
    const opened = openFooter(stored, { keys, oid, storedBytes: stored.length, quantum: 0 });
    const expected = { multipart: false, plaintextBytes: 5, md5: bytes('md5'), checksum: undefined, parts: [] };
    expect(opened.manifest).toEqual({ ...expected, crc64: value });
    expect(encodeManifest(opened.manifest, 72).toString('hex')).toBe(manifest);
  });
});
