import { createHash, createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canonicalMetadata } from '../../src/envelope/claims.ts';
import { openEnvelope, sealEnvelope } from '../../src/envelope/envelope.ts';
import { multipartFooterBytes, openFooter, sealFooter } from '../../src/envelope/footer.ts';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import { sealPart } from '../../src/envelope/streams.ts';
import { each, gather, openWhole, sampleHead } from './sealed-sample.ts';

interface Vector extends Readonly<Record<string, unknown>> {
  readonly user: readonly (readonly [string, string])[];
  readonly partSalts: readonly [string, string];
  readonly partMd5s: readonly [string, string];
}

const vector = JSON.parse(
  readFileSync(new URL('../vectors/envelope/multipart.json', import.meta.url), 'utf8'),
) as Vector;
const bytes = (name: string): Buffer => Buffer.from(vector[name] as string, 'hex');
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

const oid = bytes('oid');
const dek = bytes('dek');
const keys = new ObjectKeys(dek, oid);
const kek = createSecretKey(bytes('kek'));
const tenant = vector.tenant as string;
const contents = [Buffer.alloc(102_400, 'a'), Buffer.from('hello')] as const;

test('a multipart object: claims, envelope, parts and footer (FORMAT.md §10.1)', async () => {
  const content = { contentType: vector.contentType as string, contentLanguage: vector.contentLanguage as string };
  const canonical = canonicalMetadata({ content, user: vector.user });
  expect(canonical).toEqual(bytes('canonicalMetadata'));
  const locationTag = keys.locationTag(vector.bucket as string, vector.key as string);
  const metadataTag = keys.metadataTag(canonical);
  expect(locationTag).toEqual(bytes('locationTag'));
  expect(metadataTag).toEqual(bytes('metadataTag'));

  const head = sampleHead({
    oid,
    multipart: true,
    hasMetadataTag: true,
    requested: 1,
    quantum: 2,
    keyRingId: vector.keyRingId as string,
    kekVersion: vector.kekVersion as number,
  });
  const fields = { locationTag, metadataTag, partSalt: Buffer.alloc(16), plaintextBytes: undefined };
  const envelope = sealEnvelope({ head, keys, dek, fields, kek, tenant, envelopeSalt: bytes('envelopeSalt') });
  expect(envelope).toEqual(bytes('envelope'));
  expect(openEnvelope(envelope, { kek, tenant })).toMatchObject({ head, fields, dek });

  const parts = contents.map((part, at) => ({
    partNumber: at === 0 ? 1 : 3,
    plaintextBytes: part.length,
    partSalt: hex(vector.partSalts[at] as string),
    md5: hex(vector.partMd5s[at] as string),
  }));
  const body: Buffer[] = [];
  for (const [at, part] of parts.entries()) {
    body.push(await gather(sealPart(each(contents[at] as Buffer, 999), { keys, oid, ...part })));
  }
  const footerBytes = multipartFooterBytes(parts, 2, undefined) as number;
  expect(footerBytes).toBe(vector.footerBytes);
  const value = bytes('checksumCrc32cComposite');
  const manifest = {
    multipart: true,
    plaintextBytes: 102_405,
    md5: bytes('md5'),
    checksum: { algorithm: 'CRC32C', value, composite: true } as const,
    parts,
  };
  const footer = sealFooter({ keys, oid, envelope, manifest, footerBytes, footerSalt: bytes('footerSalt') });
  expect(footer.subarray(-64)).toEqual(bytes('trailerAndTag'));
  const stored = Buffer.concat([...body, footer]);
  expect(stored).toHaveLength(vector.storedBytes as number);
  expect(createHash('sha256').update(stored).digest('hex')).toBe(vector.bodySha256);
  expect(await openWhole(stored, envelope, { kek, tenant })).toEqual(Buffer.concat(contents));

  // §10.2: the same object with a checksum whose second half stands behind the part list.
  const long = vector.sha512Composite as Readonly<Record<string, string>>;
  const sha512 = (data: Buffer): Buffer => createHash('sha512').update(data).digest();
  const composite = sha512(Buffer.concat(contents.map(sha512)));
  expect(composite).toEqual(hex(long.checksum as string));
  const checksum = { algorithm: 'SHA512', value: composite, composite: true } as const;
  expect(multipartFooterBytes(parts, 2, checksum)).toBe(footerBytes);
  const longFooter = sealFooter({
    keys,
    oid,
    envelope,
    manifest: { ...manifest, checksum },
    footerBytes,
    footerSalt: bytes('footerSalt'),
  });
  expect(longFooter.subarray(-64)).toEqual(hex(long.trailerAndTag as string));
  const withLong = Buffer.concat([...body, longFooter]);
  expect(createHash('sha256').update(withLong).digest('hex')).toBe(long.bodySha256);
  const opened = openFooter(withLong, { keys, oid, storedBytes: withLong.length, quantum: 2 });
  expect(opened.manifest.checksum).toEqual(checksum);
  expect(await openWhole(withLong, envelope, { kek, tenant })).toEqual(Buffer.concat(contents));
});
