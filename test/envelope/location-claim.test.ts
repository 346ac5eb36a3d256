import { createDecipheriv, createHmac, createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canonicalMetadata } from '../../src/envelope/claims.ts';
import { openEnvelope, sealEnvelope } from '../../src/envelope/envelope.ts';
import { decodeLocationClaim, encodeLocationClaim, locationTagUnder } from '../../src/envelope/location-claim.ts';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import { sampleHead } from './sealed-sample.ts';

const vector = JSON.parse(
  readFileSync(new URL('../vectors/envelope/customer-key.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>> & { readonly kekVersion: number };
const bytes = (name: string) => Buffer.from(vector[name] as string, 'hex');
const text = (name: string) => vector[name] as string;

const [oid, dek] = [bytes('oid'), bytes('dek')];
const kek = createSecretKey(bytes('kek'));
const place = { bucket: text('bucket'), key: text('key') };
const claim = { keyRingId: text('keyRingId'), kekVersion: vector.kekVersion, tag: bytes('locationTag') };

test('known answer: an object under a customer’s key (FORMAT.md §10.4)', () => {
  const keys = new ObjectKeys(dek, oid);
  const metadataTag = keys.metadataTag(canonicalMetadata({ content: { contentType: text('contentType') }, user: [] }));
  expect(metadataTag).toEqual(bytes('metadataTag'));
  const head = sampleHead({
    oid,
    requested: 3,
    keyRingId: '0000000000000000',
    kekVersion: 1,
    hasLocationClaim: false,
    hasLocationEntry: true,
    hasMetadataTag: true,
  });
  const fields = { locationTag: Buffer.alloc(16), metadataTag, partSalt: bytes('partSalt'), plaintextBytes: 5 };
  const key = { kek: createSecretKey(bytes('customerKey')), tenant: text('tenant') };
  const envelope = sealEnvelope({ head, keys, dek, fields, ...key, envelopeSalt: bytes('envelopeSalt') });
  expect(envelope).toEqual(bytes('envelope'));
  expect(openEnvelope(envelope, key)).toMatchObject({ head, fields, dek });
  expect(locationTagUnder(kek, envelope, place)).toEqual(claim.tag);
  expect(encodeLocationClaim(claim)).toBe(text('location'));
  expect(decodeLocationClaim(text('location'))).toEqual(claim);
});

test('the page alone is enough to open it and to check its claim', () => {
  const hmac = (key: Buffer, ...message: readonly (Buffer | string)[]) =>
    message.reduce((digest, part) => digest.update(part), createHmac('sha256', key)).digest();
  const envelope = bytes('envelope');
  const clear = envelope.subarray(0, 80);
  expect(clear[2]).toBe(0b1001_1100);
  expect(clear.subarray(4, 16).toString('hex')).toBe('000000000000000000000001');
  const key = hmac(hmac(clear.subarray(32, 48), bytes('customerKey')), 'sx1/env', clear, Buffer.from([1]));
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.alloc(12));
  decipher.setAAD(Buffer.concat([clear, Buffer.from([0, 8]), Buffer.from('tenant-a')]));
  decipher.setAuthTag(envelope.subarray(168));
  const secret = Buffer.concat([decipher.update(envelope.subarray(80, 168)), decipher.final()]);
  expect(secret.subarray(0, 48)).toEqual(Buffer.concat([dek, Buffer.alloc(16)]));
  const entry = Buffer.from(text('location'), 'base64url');
  expect(entry.subarray(0, 12).toString('hex')).toBe('001122334455667700000001');
  const claimKey = hmac(hmac(clear.subarray(32, 48), bytes('kek')), 'sx1/tloc', clear, Buffer.from([1]));
  expect(claimKey).toEqual(bytes('locationKey'));
  expect(hmac(claimKey, Buffer.from([0, 3]), 'bkt', 'hello.txt').subarray(0, 16)).toEqual(entry.subarray(12));
});

test('known answer: what the first gateways wrote, whose claims bind the object’s id (FORMAT.md §10.4)', () => {
  const first = JSON.parse(
    readFileSync(new URL('../vectors/envelope/customer-key-of-id.json', import.meta.url), 'utf8'),
  ) as Readonly<Record<string, string>>;
  const envelope = Buffer.from(first.envelope as string, 'hex');
  const key = { kek: createSecretKey(bytes('customerKey')), tenant: text('tenant') };
  expect(openEnvelope(envelope, key)).toMatchObject({ head: { kekVersion: 0, hasLocationEntry: true }, dek });
  expect(decodeLocationClaim(first.location as string)?.tag).toEqual(locationTagUnder(kek, envelope, place));
  expect(locationTagUnder(kek, envelope, place).toString('hex')).toBe(first.locationTag);
  const claimKey = createHmac('sha256', bytes('kek'))
    .update('sx1/tloc')
    .update(oid)
    .update(Buffer.from([1]))
    .digest();
  expect(claimKey.toString('hex')).toBe(first.locationKey);
});

test('a claim that binds an id alone is good for no envelope that asks for more', () => {
  const envelope = bytes('envelope');
  const asFirst = Buffer.from(envelope);
  asFirst.writeUInt32BE(0, 12);
  expect(locationTagUnder(kek, asFirst, place)).not.toEqual(locationTagUnder(kek, envelope, place));
  const key = { kek: createSecretKey(bytes('customerKey')), tenant: text('tenant') };
  expect(() => openEnvelope(asFirst, key)).toThrow(expect.objectContaining({ code: 'ObjectCorrupted' }));
});

test('the claim is of one envelope, one place and one key', () => {
  const envelope = bytes('envelope');
  const altered = (at: number) => {
    const other = Buffer.from(envelope);
    other[at] = (other[at] as number) ^ 1;
    return other;
  };
  const tag = locationTagUnder(kek, envelope, place).toString('hex');
  const others = [
    ...Array.from({ length: 80 }, (_, at) => locationTagUnder(kek, altered(at), place)),
    locationTagUnder(kek, envelope, { bucket: 'bk', key: 'thello.txt' }),
    locationTagUnder(kek, envelope, { ...place, key: 'hello.txt ' }),
    locationTagUnder(createSecretKey(Buffer.alloc(32, 9)), envelope, place),
  ].map((each) => each.toString('hex'));
  expect(new Set([tag, ...others]).size).toBe(84);
  expect(locationTagUnder(kek, envelope.subarray(0, 80), place).toString('hex')).toBe(tag);
});

test('the entry has one text', () => {
  const exact = text('location');
  const last = exact.slice(0, -1);
  for (const other of [
    '',
    `${exact}=`,
    `${exact}A`,
    ` ${exact}`,
    exact.slice(1),
    `${last}-`,
    `${last}/`,
    `${last}\n`,
  ]) {
    if (other !== exact) expect(decodeLocationClaim(other)).toBeUndefined();
  }
  expect(() => encodeLocationClaim({ ...claim, tag: Buffer.alloc(15) })).toThrow(RangeError);
  expect(() => encodeLocationClaim({ ...claim, keyRingId: 'ab' })).toThrow(RangeError);
  expect(() => locationTagUnder(kek, bytes('envelope').subarray(0, 79), place)).toThrow(RangeError);
});
