import { createCipheriv, createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  decodeEnvelope,
  encodeEnvelope,
  openEnvelope,
  readEnvelopeHead,
  type SealedFields,
  sealEnvelope,
} from '../../src/envelope/envelope.ts';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import type { GatewayError } from '../../src/errors.ts';
import { expectCorrupted, expectRefused, flipped, KEK, refusal, sampleHead, TENANT } from './sealed-sample.ts';

const oid = randomBytes(16);
const dek = randomBytes(32);
const keys = new ObjectKeys(dek, oid);
const fields: SealedFields = {
  locationTag: randomBytes(16),
  metadataTag: randomBytes(16),
  partSalt: randomBytes(16),
  plaintextBytes: 123_456_789_012,
};
const multipartFields: SealedFields = { ...fields, partSalt: Buffer.alloc(16), plaintextBytes: undefined };

function seal(changes: Partial<Parameters<typeof sealEnvelope>[0]> = {}): Buffer {
  const head = sampleHead({ oid });
  return sealEnvelope({ head, keys, dek, fields, kek: KEK, tenant: TENANT, envelopeSalt: randomBytes(16), ...changes });
}

const open = (bytes: Buffer) => openEnvelope(bytes, { kek: KEK, tenant: TENANT });

describe('seal and open', () => {
  test.each([
    { requested: 0, quantum: 0, hasLocationClaim: true, hasMetadataTag: true },
    { requested: 1, quantum: 1, hasLocationClaim: false, hasMetadataTag: true },
    { requested: 2, quantum: 2, hasLocationClaim: true, hasMetadataTag: false, kekVersion: 0xffff_ffff },
    { requested: 3, quantum: 0, keyRingId: '0000000000000000', kekVersion: 0 },
    { keyRingId: 'ffffffffffffffff', kekVersion: 0 },
  ] as const)('single: %j', (changes) => {
    const head = sampleHead({ oid, ...changes });
    const sealed = seal({ head });
    expect(sealed).toHaveLength(184);
    expect(readEnvelopeHead(sealed)).toEqual(head);
    const opened = open(sealed);
    expect(opened.head).toEqual(head);
    expect(opened.fields).toEqual(fields);
    expect(opened.dek).toEqual(dek);
    expect(opened.keys.commit).toEqual(keys.commit);
  });

  test('multipart has no length and no part salt', () => {
    const head = sampleHead({ oid, multipart: true });
    expect(open(seal({ head, fields: multipartFields })).fields).toEqual(multipartFields);
  });

  test.each([0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER])('keeps the length %i', (plaintextBytes) => {
    expect(open(seal({ fields: { ...fields, plaintextBytes } })).fields.plaintextBytes).toBe(plaintextBytes);
  });

  test('a re-wrap under another KEK keeps DEK and fields, and shares no sealed byte', () => {
    const first = seal();
    const { head, keys: objectKeys, fields: opened, dek: openedDek } = open(first);
    const kek = createSecretKey(randomBytes(32));
    const again = sealEnvelope({
      head: { ...head, kekVersion: 9 },
      keys: objectKeys,
      dek: openedDek,
      fields: opened,
      kek,
      tenant: TENANT,
      envelopeSalt: randomBytes(16),
    });
    expect(openEnvelope(again, { kek, tenant: TENANT }).dek).toEqual(dek);
    expect(again.subarray(80, 112)).not.toEqual(first.subarray(80, 112));
  });

  test('a tenant of non-ASCII letters is its UTF-8', () => {
    const sealed = seal({ tenant: 'müller' });
    expect(openEnvelope(sealed, { kek: KEK, tenant: 'müller' }).dek).toEqual(dek);
  });
});

describe('every field of FORMAT.md §3 is authenticated', () => {
  const sealed = seal({ head: sampleHead({ oid, quantum: 1, requested: 1 }) });
  test.each([
    ['flags', 2, 1],
    ['segment size and quantum', 3, 1],
    ['key-ring id', 4, 8],
    ['KEK version', 12, 4],
    ['oid', 16, 16],
    ['env_salt', 32, 16],
    ['commit', 48, 32],
    ['DEK', 80, 32],
    ['loc_tag', 112, 16],
    ['meta_tag', 128, 16],
    ['part_salt', 144, 16],
    ['plaintext length', 160, 8],
    ['GCM tag', 168, 16],
  ])('%s: no bit can change', async (_, offset, length) => {
    for (let at = offset; at < offset + length; at++) {
      for (let bit = 0; bit < 8; bit++) await expectRefused(() => open(flipped(sealed, at, bit)));
    }
  });

  test.each([
    ['version', 0, 'names SX1 version 2,'],
    ['suite', 1, 'names SX1 suite 2,'],
  ])('an unknown %s is refused with words of its own', async (_, offset, words) => {
    const unknown = Buffer.from(sealed);
    unknown[offset] = 2;
    for (const bytes of [unknown, Buffer.concat([unknown, Buffer.alloc(20)])]) {
      const error = (await refusal(() => open(bytes))) as GatewayError;
      expect(error).toMatchObject({ code: 'ObjectCorrupted', source: 'backend' });
      expect(error.message).toContain(words);
    }
  });

  test.each([0, 1, 2, 183, 185])('%i bytes are no envelope', async (length) => {
    await expectRefused(() => open(Buffer.concat([sealed, Buffer.alloc(1)]).subarray(0, length)));
  });
});

/** The head of an object under a customer's key, whose location claim lies beside the envelope. */
const CUSTOMERS = {
  requested: 3,
  keyRingId: '0000000000000000',
  kekVersion: 0,
  hasLocationClaim: false,
  hasLocationEntry: true,
} as const;
const ZERO = Buffer.alloc(16);

test('a location claim beside the envelope, and none in it', async () => {
  const head = sampleHead({ oid, ...CUSTOMERS });
  const sealed = seal({ head, fields: { ...fields, locationTag: ZERO } });
  expect(sealed[2]).toBe(0b1001_1000);
  expect(open(sealed).head).toEqual(head);
  for (const flags of [0b1001_1010, 0b1000_0000]) {
    const changed = Buffer.from(sealed);
    changed[2] = flags;
    await expectRefused(() => readEnvelopeHead(changed));
  }
});

describe('well-formed seals of malformed envelopes', () => {
  test('clear fields: unknown flags, segment sizes, quanta, ring ids', async () => {
    const bytes = seal();
    const changed = (offset: number, value: number) => {
      const copy = Buffer.from(bytes);
      copy[offset] = value;
      return () => readEnvelopeHead(copy);
    };
    await expectRefused(changed(2, 0x80)); // a location entry without a customer key
    const bound = Buffer.from(bytes);
    bound[2] = 0x40; // an encryption context, whose entry is not there
    await expectRefused(() => open(bound));
    for (const log2 of [0, 12, 15, 17, 31]) await expectRefused(changed(3, log2));
    for (const quantum of [3, 4, 5, 6, 7]) await expectRefused(changed(3, (quantum << 5) | 16));
    await expectRefused(changed(2, 3 << 3)); // customer key, but a ring
    const noRing = Buffer.from(bytes).fill(0, 4, 12);
    await expectRefused(() => readEnvelopeHead(noRing));
  });

  test('the writer refuses them', () => {
    const wrong: Partial<Parameters<typeof sealEnvelope>[0]>[] = [
      { head: sampleHead({ oid, multipart: true }) },
      { fields: multipartFields },
      { head: sampleHead({ oid, multipart: true }), fields: { ...multipartFields, partSalt: randomBytes(16) } },
      { head: sampleHead({ oid, requested: 3 }) },
      { head: sampleHead({ oid, keyRingId: '0000000000000000' }) },
      { head: sampleHead({ oid, hasLocationEntry: true, hasLocationClaim: false }) },
      { head: sampleHead({ oid, ...CUSTOMERS, hasLocationClaim: true }), fields: { ...fields, locationTag: ZERO } },
      { head: sampleHead({ oid, ...CUSTOMERS }) },
      { head: sampleHead({ oid, keyRingId: 'AB00000000000000' }) },
      { head: sampleHead({ oid, keyRingId: 'ab' }) },
      { head: sampleHead({ oid, kekVersion: 2 ** 32 }) },
      { head: sampleHead({ oid: Buffer.alloc(15) }) },
      { dek: Buffer.alloc(16) },
      { envelopeSalt: Buffer.alloc(12) },
      { kek: createSecretKey(Buffer.alloc(16)) },
      { fields: { ...fields, plaintextBytes: -1 } },
      { fields: { ...fields, plaintextBytes: 2 ** 53 } },
      { fields: { ...fields, locationTag: Buffer.alloc(32) } },
      { fields: { ...fields, metadataTag: Buffer.alloc(0) } },
      { fields: { ...fields, partSalt: Buffer.alloc(8) } },
      { tenant: 'x'.repeat(65_536) },
    ];
    for (const changes of wrong) expect(() => seal(changes)).toThrow(RangeError);
  });
});

describe('a writer with the KEK that lies', () => {
  /** Seals any 88 bytes as FORMAT.md §2 and §3 say, by node's own HMAC. */
  function reseal(envelope: Buffer, secret: Buffer): Buffer {
    const clear = envelope.subarray(0, 80);
    const extracted = createHmac('sha256', clear.subarray(32, 48)).update(KEK.export()).digest();
    const key = createHmac('sha256', extracted)
      .update('sx1/env')
      .update(clear)
      .update(Buffer.from([1]))
      .digest();
    const cipher = createCipheriv('aes-256-gcm', key, Buffer.alloc(12));
    cipher.setAAD(Buffer.concat([clear, Buffer.from([0, 4]), Buffer.from(TENANT)]));
    const sealed = cipher.update(secret);
    cipher.final();
    return Buffer.concat([clear, sealed, cipher.getAuthTag()]);
  }
  const secretOf = ({ locationTag, metadataTag, partSalt }: SealedFields, length: string) =>
    Buffer.concat([dek, locationTag, metadataTag, partSalt, Buffer.from(length, 'hex')]);
  const multipart = seal({ head: sampleHead({ oid, multipart: true }), fields: multipartFields });
  const ones = 'ffffffffffffffff';

  test('honest seals open', () => {
    expect(open(reseal(seal(), secretOf(fields, '0000000000000005'))).fields.plaintextBytes).toBe(5);
    expect(open(reseal(multipart, secretOf(multipartFields, ones))).fields).toEqual(multipartFields);
  });

  test('a length that contradicts the structure, or that no number holds; a part salt for multipart', async () => {
    await expectRefused(() => open(reseal(seal(), secretOf(fields, ones))));
    await expectRefused(() => open(reseal(seal(), secretOf(fields, '0020000000000000'))));
    await expectRefused(() => open(reseal(seal(), secretOf(fields, 'ffffffff00000000'))));
    await expectRefused(() => open(reseal(multipart, secretOf(multipartFields, '0000000000000005'))));
    await expectRefused(() => open(reseal(multipart, secretOf(multipartFields, 'fffffffffffffffe'))));
    await expectRefused(() => open(reseal(multipart, secretOf({ ...fields }, ones))));
  });
});

describe('who may open it', () => {
  test('another tenant may not, nor a name that is its beginning or its extension', async () => {
    for (const tenant of ['', 'acm', 'acme2', 'ACME', 'acme\0']) {
      await expectRefused(() => openEnvelope(seal(), { kek: KEK, tenant }));
    }
  });

  test('another KEK may not', async () => {
    await expectRefused(() => openEnvelope(seal(), { kek: createSecretKey(randomBytes(32)), tenant: TENANT }));
  });

  test('one oid cannot be set in place of another', async () => {
    const spliced = seal();
    randomBytes(16).copy(spliced, 16);
    await expectRefused(() => open(spliced));
  });

  test('key commitment: a seal that opens to a DEK other than the committed one is refused', async () => {
    // What an "invisible salamander" would look like: GCM is content, the commitment belongs to another key.
    const committed = new ObjectKeys(randomBytes(32), oid);
    const salamander = seal({ keys: committed });
    await expectRefused(() => open(salamander));
    // The same DEK under another oid is another commitment.
    await expectRefused(() => open(seal({ keys: new ObjectKeys(dek, randomBytes(16)) })));
  });
});

describe('text form', () => {
  test('is base64url without padding, and nothing else is taken', async () => {
    const sealed = seal();
    const text = encodeEnvelope(sealed);
    expect(text).toMatch(/^[A-Za-z0-9_-]{246}$/);
    expect(decodeEnvelope(text)).toEqual(sealed);
    const lastCode = text.charCodeAt(245);
    const wrong = [
      '',
      'AQ',
      `${text}==`,
      ` ${text}`,
      `${text}\n`,
      `${text.slice(0, 100)} ${text.slice(100)}`,
      text.slice(0, -1),
      text.slice(0, -2),
      `${text}AAAA`,
      sealed.toString('base64'),
      `${text.slice(0, -1)}${String.fromCharCode(lastCode + 1)}`, // trailing bits that no encoder sets
    ];
    for (const each of wrong) expectCorrupted(await refusal(() => decodeEnvelope(each)));
  });
});
