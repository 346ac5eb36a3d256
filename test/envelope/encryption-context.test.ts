import { createDecipheriv, createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { gatherMetadata } from '../../src/envelope/carried-metadata.ts';
import {
  CONTEXT_ENTRY,
  canonicalContext,
  contextTextLength,
  type EncryptionContext,
  openContext,
  sealContext,
} from '../../src/envelope/encryption-context.ts';
import { openEnvelope, sealEnvelope } from '../../src/envelope/envelope.ts';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import fc from '../support/property.ts';
import { expectRefused, KEK, sampleHead, TENANT } from './sealed-sample.ts';

const vector = JSON.parse(
  readFileSync(new URL('../vectors/envelope/encryption-context.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, string>> & { readonly kekVersion: number };
const bytes = (name: string): Buffer => Buffer.from(vector[name] as string, 'hex');

/** Opens entry and envelope by FORMAT.md alone, without the code of src/envelope. */
function decodedIndependently(envelope: Buffer, entry: string, key: { readonly kek: Buffer; readonly tenant: string }) {
  const hmac = (secret: Buffer, message: Buffer) => createHmac('sha256', secret).update(message).digest();
  const clear = envelope.subarray(0, 80);
  const under = (label: string) =>
    hmac(hmac(envelope.subarray(32, 48), key.kek), Buffer.concat([Buffer.from(label), clear, Buffer.from([1])]));
  const opened = (secret: Buffer, aad: Buffer, sealed: Buffer) => {
    const decipher = createDecipheriv('aes-256-gcm', secret, Buffer.alloc(12));
    decipher.setAAD(aad).setAuthTag(sealed.subarray(sealed.length - 16));
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - 16)), decipher.final()]);
  };
  const prefixed = (text: Buffer) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(text.length);
    return Buffer.concat([length, text]);
  };
  const bound = Buffer.concat([clear, prefixed(Buffer.from(key.tenant))]);
  const context = opened(
    under('sx1/ctx'),
    Buffer.concat([Buffer.from('sx1/ctx'), bound]),
    Buffer.from(entry, 'base64url'),
  );
  const secret = opened(under('sx1/env'), Buffer.concat([bound, prefixed(context.subarray(1))]), envelope.subarray(80));
  return {
    flag: clear.readUInt8(2),
    contextKey: under('sx1/ctx'),
    bucketKey: context.readUInt8(0) === 1,
    canonical: context.subarray(1),
    dek: secret.subarray(0, 32),
  };
}

const TEXT = '{"dept":"cards"}';
const CONTEXT: EncryptionContext = { canonical: Buffer.from(TEXT), bucketKey: true };
const oid = randomBytes(16);
const dek = randomBytes(32);
const keys = new ObjectKeys(dek, oid);
const fields = {
  locationTag: keys.locationTag('b', 'k'),
  metadataTag: Buffer.alloc(16),
  partSalt: randomBytes(16),
  plaintextBytes: 5,
};
const key = { kek: KEK, tenant: TENANT };

function sealed({ context }: { readonly context: EncryptionContext | undefined } = { context: CONTEXT }) {
  const head = sampleHead({ oid, requested: 2, hasContext: context !== undefined });
  const envelope = sealEnvelope({ head, keys, dek, fields, ...key, envelopeSalt: randomBytes(16), context });
  return { envelope, entry: context && sealContext(envelope, context, key) };
}

describe('the known answer (FORMAT.md §10.5)', () => {
  const known = { kek: createSecretKey(bytes('kek')), tenant: vector.tenant as string };
  const canonical = Buffer.from(vector.context as string);
  const [knownOid, knownDek] = [bytes('oid'), bytes('dek')];
  const knownKeys = new ObjectKeys(knownDek, knownOid);
  const head = sampleHead({
    oid: knownOid,
    requested: 2,
    hasContext: true,
    keyRingId: vector.keyRingId as string,
    kekVersion: vector.kekVersion,
  });
  const knownFields = {
    locationTag: knownKeys.locationTag(vector.bucket as string, vector.key as string),
    metadataTag: Buffer.alloc(16),
    partSalt: bytes('partSalt'),
    plaintextBytes: 5,
  };
  const context = { canonical, bucketKey: true };

  it('is what the writer makes', () => {
    const envelope = sealEnvelope({
      head,
      keys: knownKeys,
      dek: knownDek,
      fields: knownFields,
      ...known,
      envelopeSalt: bytes('envelopeSalt'),
      context,
    });
    expect(envelope).toEqual(bytes('envelope'));
    expect(sealContext(envelope, context, known)).toBe(vector.entry);
    expect(canonicalContext(JSON.parse(vector.context as string))).toEqual(canonical);
  });

  it('is what the reader opens, and a decoder that shares no code with it', () => {
    expect(openEnvelope(bytes('envelope'), { ...known, context: vector.entry as string })).toMatchObject({
      head,
      fields: knownFields,
      dek: knownDek,
      context,
    });
    expect(
      decodedIndependently(bytes('envelope'), vector.entry as string, { kek: bytes('kek'), tenant: known.tenant }),
    ).toEqual({ flag: 0x52, contextKey: bytes('contextKey'), bucketKey: true, canonical, dek: knownDek });
  });
});

test('an object opens beside its own entry, and tells context and bucket key', () => {
  for (const context of [CONTEXT, { canonical: Buffer.alloc(0), bucketKey: true }, { ...CONTEXT, bucketKey: false }]) {
    const { envelope, entry } = sealed({ context });
    expect(entry).toHaveLength(contextTextLength(context));
    expect(openEnvelope(envelope, { ...key, context: entry }).context).toEqual(context);
    expect(openContext(envelope, entry as string, key)).toEqual(context);
    expect(decodedIndependently(envelope, entry as string, { kek: KEK.export(), tenant: TENANT })).toMatchObject({
      ...context,
      dek,
    });
  }
});

describe('an object does not open', () => {
  const { envelope, entry = '' } = sealed();
  const refused = (context: string | undefined, its = envelope) =>
    expectRefused(() => openEnvelope(its, { ...key, context }));

  it('without its entry, or with the flag taken from the envelope', async () => {
    await refused(undefined);
    await refused('');
    const flagless = Buffer.from(envelope);
    flagless[2] = (flagless[2] as number) & ~0x40;
    await refused(undefined, flagless);
    await refused(entry, flagless);
  });

  it('beside an entry that was altered, in any bit', async () => {
    const whole = Buffer.from(entry, 'base64url');
    for (let at = 0; at < whole.length; at++) {
      const altered = Buffer.from(whole);
      altered[at] = (altered[at] as number) ^ (1 << (at % 8));
      await refused(altered.toString('base64url'));
    }
    for (const text of [`${entry}A`, entry.slice(1), entry.slice(0, -1), `${entry}=`, `${entry.slice(0, -1)} `]) {
      await refused(text);
    }
  });

  it('beside the entry of another object, of another sealing of the same one, or of none', async () => {
    const again = sealed();
    await refused(again.entry);
    await refused(entry, again.envelope);
    const { envelope: plain } = sealed({ context: undefined });
    await refused(sealContext(plain, CONTEXT, key));
    expect(openEnvelope(plain, { ...key, context: entry })).toMatchObject({ context: undefined });
  });

  it('under another key or tenant', async () => {
    const other = createSecretKey(randomBytes(32));
    await expectRefused(() => openContext(envelope, entry, { kek: other, tenant: TENANT }));
    await expectRefused(() => openContext(envelope, entry, { kek: KEK, tenant: 'other' }));
  });
});

test('where the metadata were lost, the context itself opens the envelope, and no other does', async () => {
  const { envelope } = sealed();
  expect(openEnvelope(envelope, { ...key, context: { ...CONTEXT, bucketKey: false } }).dek).toEqual(dek);
  for (const canonical of [Buffer.alloc(0), Buffer.from('{"dept":"Cards"}')]) {
    await expectRefused(() => openEnvelope(envelope, { ...key, context: { canonical, bucketKey: false } }));
  }
});

test('head and context come together, and a context has 1,024 bytes at most', () => {
  const base = { keys, dek, fields, ...key, envelopeSalt: randomBytes(16) };
  expect(() => sealEnvelope({ ...base, head: sampleHead({ oid, hasContext: true }) })).toThrow(RangeError);
  expect(() => sealEnvelope({ ...base, head: sampleHead({ oid }), context: CONTEXT })).toThrow(RangeError);
  const { envelope } = sealed();
  const long = (length: number) => ({ canonical: Buffer.alloc(length, 'x'), bucketKey: false });
  expect(() => sealContext(envelope, long(1025), key)).toThrow(RangeError);
  expect(openContext(envelope, sealContext(envelope, long(1024), key), key).canonical).toHaveLength(1024);
});

test('the entry is the gateway’s own: no client sees it', () => {
  const user = [['kept', '1'] as const, [CONTEXT_ENTRY, 'AA'] as const];
  expect(gatherMetadata({ content: {}, user })).toEqual({ content: {}, user: [['kept', '1']], carries: false });
});

describe('the canonical form of a context', () => {
  it.each([
    ['{ "b" : "2",\n"a":"1" }', '{"a":"1","b":"2"}'],
    ['{}', '{}'],
    ['{"10":"x","9":"y","é":"ü","z":"\\u00fc"}', '{"10":"x","9":"y","z":"ü","é":"ü"}'],
    ['{"a":"1","a":"2"}', '{"a":"2"}'],
    ['{"\\uff5e":"1","\\ud83d\\ude00":"2"}', '{"～":"1","😀":"2"}'],
    ['{"__proto__":"x"}', '{"__proto__":"x"}'],
    ['{"q":"\\"\\\\\\/\\u0007\\n\\u007f"}', '{"q":"\\"\\\\/\\u0007\\n\u007f"}'],
  ])('of %s', (sent, canonical) => {
    expect(canonicalContext(JSON.parse(sent))?.toString('utf8')).toBe(canonical);
  });

  it.each(['[]', '"a"', 'null', '1', '{"a":1}', '{"a":null}', '{"a":{}}', '{"a":["b"]}', '{"a":"\\ud800"}'])(
    'is refused for %s',
    (sent) => {
      expect(canonicalContext(JSON.parse(sent))).toBeUndefined();
    },
  );

  it('is its own canonical form, whatever the order', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(fc.dictionary(text, text), (context) => {
        const canonical = canonicalContext(context);
        if (canonical === undefined) return;
        const reversed = Object.fromEntries(Object.entries(context).reverse());
        expect(canonicalContext(reversed)).toEqual(canonical);
        expect(canonicalContext(JSON.parse(canonical.toString('utf8')))).toEqual(canonical);
      }),
    );
  });
});
