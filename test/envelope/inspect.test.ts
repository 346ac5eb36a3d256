import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { sealEnvelope } from '../../src/envelope/envelope.ts';
import { explainSealed } from '../../src/envelope/inspect.ts';
import { encodeLocationClaim } from '../../src/envelope/location-claim.ts';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import { expectRefused, KEK, multipartSample, RING, sampleHead, singleSample, TENANT } from './sealed-sample.ts';

describe('explainSealed', async () => {
  const single = await singleSample(randomBytes(100_000));
  const multipart = await multipartSample([randomBytes(102_400), randomBytes(7)]);

  test('a single-part object, from envelope and size', () => {
    expect(explainSealed({ envelope: single.envelope, storedBytes: single.stored.length })).toEqual({
      format: 'SX1',
      authenticated: false,
      envelope: {
        source: 'metadata',
        version: 1,
        suite: 'AES-256-GCM, HMAC-SHA-256 (suite 1)',
        structure: 'single part (PutObject)',
        requestedEncryption: 'bucket default',
        locationClaim: true,
        metadataTag: false,
        carriesMetadata: false,
        locationEntry: false,
        encryptionContext: false,
        segmentBytes: 65_536,
        smallestPartBytes: 1_048_576,
        keyRingId: RING,
        kekVersion: 3,
        objectId: single.oid.toString('hex'),
        keyCommitment: single.keys.commit.toString('hex'),
      },
      sizes: { storedBytes: single.stored.length, plaintextBytes: 100_000, overheadBytes: 544, segments: 2 },
      footer: undefined,
    });
  });

  test('metadata that is carried, where its entry is at hand', () => {
    const known = { envelope: single.envelope, storedBytes: single.stored.length };
    expect(explainSealed({ ...known, carried: 'AQYAATAHAAZjb2xvdXIABGdy_G4HAAh4LWFtei1pdgAEQUE9PQ' }).carried).toEqual({
      content: { expires: '0' },
      user: [
        ['colour', 'gr\xfcn'],
        ['x-amz-iv', 'AA=='],
      ],
    });
    expect(explainSealed({ ...known, carried: 'AQYAATAHAAZj' }).carried).toBeUndefined();
  });

  test('a multipart object, from the file alone', () => {
    const explained = explainSealed({ tail: multipart.stored, storedBytes: multipart.stored.length });
    expect(explained.envelope).toMatchObject({
      source: 'footer copy',
      structure: 'multipart',
      smallestPartBytes: 102_400,
    });
    expect(explained.sizes).toMatchObject({ plaintextBytes: 102_407, segments: undefined });
    const footerBytes = multipart.stored.length - multipart.layout.bodyBytes;
    expect(explained.footer).toEqual({
      plaintextBytes: 102_407,
      footerBytes,
      manifestBytes: 64 + 96,
      parts: 2,
      longChecksum: false,
      crc64: false,
    });
  });

  test('a location claim beside the envelope, where its entry is at hand', () => {
    const known = { envelope: single.envelope, storedBytes: single.stored.length };
    const claim = { keyRingId: RING, kekVersion: 7 };
    const location = encodeLocationClaim({ ...claim, tag: Buffer.alloc(16, 1) });
    expect(explainSealed({ ...known, location }).location).toEqual(claim);
    for (const other of [`${location}A`, location.slice(1), `${location.slice(0, -1)}B`, '']) {
      expect(explainSealed({ ...known, location: other }).location).toBeUndefined();
    }
  });

  test('a customer key has no ring; a size that is no E(n) is said to be none', () => {
    const oid = randomBytes(16);
    const dek = randomBytes(32);
    const envelope = sealEnvelope({
      head: sampleHead({ oid, requested: 3, keyRingId: '0000000000000000', kekVersion: 0 }),
      keys: new ObjectKeys(dek, oid),
      dek,
      fields: { locationTag: oid, metadataTag: oid, partSalt: oid, plaintextBytes: 1 },
      kek: KEK,
      tenant: TENANT,
      envelopeSalt: randomBytes(16),
    });
    const { envelope: said, sizes } = explainSealed({ envelope, storedBytes: 100 });
    expect(said).toMatchObject({ requestedEncryption: 'customer key', keyRingId: undefined });
    expect(sizes).toEqual({
      storedBytes: 100,
      plaintextBytes: undefined,
      overheadBytes: undefined,
      segments: undefined,
    });
  });

  test('holds no secret, in any form', () => {
    for (const sample of [single, multipart]) {
      const { envelope, stored: tail } = sample;
      const explained = explainSealed({ envelope, tail, storedBytes: tail.length });
      const text = `${JSON.stringify(explained)} ${inspect(explained, { depth: 9, showHidden: true })}`;
      for (const secret of [sample.dek, KEK.export(), sample.keys.locationTag('b', 'k')]) {
        for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const) {
          expect(text).not.toContain(secret.toString(encoding));
        }
      }
    }
  });

  test('what is not SX1, is refused; nothing to look at is a programming error', async () => {
    await expectRefused(() => explainSealed({ tail: randomBytes(1000) }));
    await expectRefused(() => explainSealed({ envelope: single.envelope.subarray(1).subarray(0, 1) }));
    await expectRefused(() => explainSealed({ tail: single.stored.subarray(-64) }));
    expect(() => explainSealed({ storedBytes: 1 })).toThrow(RangeError);
  });

  test('an ObjectKeys shows no key when printed', () => {
    expect(inspect(single.keys, { showHidden: true, depth: 5 })).not.toMatch(/Buffer|KeyObject/);
    expect(JSON.stringify(single.keys)).toBe('{}');
  });
});
