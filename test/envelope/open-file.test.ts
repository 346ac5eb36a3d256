import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type EncryptionContext, sealContext } from '../../src/envelope/encryption-context.ts';
import { openEnvelope, sealEnvelope } from '../../src/envelope/envelope.ts';
import { openSealedFile } from '../../src/envelope/open-file.ts';
import { SEGMENT_BYTES as S } from '../../src/envelope/sizes.ts';
import { expectRefused, flipped, gather, KEK, multipartSample, RING, singleSample, TENANT } from './sealed-sample.ts';

const memory = (stored: Buffer) => ({
  size: stored.length,
  read: async (at: number, length: number) => stored.subarray(at, at + length),
});

describe('openSealedFile', async () => {
  const single = await singleSample(randomBytes(3 * S + 9));
  const multipart = await multipartSample([randomBytes(150_000), randomBytes(102_400), randomBytes(70_000)]);

  test.each([
    ['single', single],
    ['multipart', multipart],
  ])('a downloaded file on disk: %s', async (_, sample) => {
    const directory = await mkdtemp(join(tmpdir(), 'sealed-'));
    const handle = await open(join(directory, 'object'), 'w+');
    try {
      await handle.write(sample.stored);
      const file = {
        size: sample.stored.length,
        read: async (position: number, length: number) =>
          (await handle.read({ buffer: Buffer.alloc(length), position })).buffer,
      };
      for (const envelope of [sample.envelope, { recover: true } as const]) {
        const asked: unknown[] = [];
        const kek = async (ring: string, version: number) => {
          asked.push(ring, version);
          return KEK;
        };
        const opened = await openSealedFile(file, { envelope, kek, tenant: TENANT });
        expect(asked).toEqual([RING, 3]);
        expect(opened.plaintextBytes).toBe(sample.plaintext.length);
        expect((await gather(opened.bytes())).equals(sample.plaintext)).toBe(true);
        const range = await gather(opened.bytes({ first: 140_000, last: 190_000 }));
        expect(range.equals(sample.plaintext.subarray(140_000, 190_001))).toBe(true);
      }
    } finally {
      await handle.close();
      await rm(directory, { recursive: true });
    }
  });

  test('the footer’s copy is never used unless asked for, and is older than a re-wrap', async () => {
    const kek = createSecretKey(randomBytes(32));
    const { head, keys, dek, fields } = openEnvelope(single.envelope, { kek: KEK, tenant: TENANT });
    const rewrapped = sealEnvelope({ head, keys, dek, fields, kek, tenant: TENANT, envelopeSalt: randomBytes(16) });
    const open = (envelope: Buffer | { recover: true }, key: typeof kek) =>
      openSealedFile(memory(single.stored), { envelope, kek: () => key, tenant: TENANT });
    expect(await gather((await open(rewrapped, kek)).bytes())).toEqual(single.plaintext);
    await expectRefused(() => open(rewrapped, KEK));
    await expectRefused(() => open({ recover: true }, kek));
    expect(await gather((await open({ recover: true }, KEK)).bytes())).toEqual(single.plaintext);
    await expectRefused(() => open(flipped(single.envelope, 100), KEK));
  });

  test('with an encryption context: beside its entry, and without metadata for whoever knows the context', async () => {
    const context = { canonical: Buffer.from('{"dept":"cards"}'), bucketKey: true };
    const sample = await singleSample(randomBytes(99), { context });
    const entry = sealContext(sample.envelope, context, { kek: KEK, tenant: TENANT });
    const open = (envelope: Buffer | { recover: true }, known: string | EncryptionContext | undefined) =>
      openSealedFile(memory(sample.stored), { envelope, kek: () => KEK, tenant: TENANT, context: known });
    const opened = await open(sample.envelope, entry);
    expect(opened.envelope.context).toEqual(context);
    expect(await gather(opened.bytes())).toEqual(sample.plaintext);
    expect(await gather((await open({ recover: true }, context)).bytes())).toEqual(sample.plaintext);
    const none = { canonical: Buffer.alloc(0), bucketKey: false };
    for (const known of [undefined, none]) {
      await expectRefused(() => open(sample.envelope, known));
      await expectRefused(() => open({ recover: true }, known));
    }
    // What was put with a bucket key alone is bound to an empty context.
    const empty = await singleSample(randomBytes(9), { context: { ...none, bucketKey: true } });
    const recovered = await openSealedFile(memory(empty.stored), {
      ...{ envelope: { recover: true }, kek: () => KEK, tenant: TENANT },
      context: none,
    });
    expect(await gather(recovered.bytes())).toEqual(empty.plaintext);
  });

  test('a key that is gone is the look-up’s own error', async () => {
    const gone = new Error('destroyed');
    const kek = () => {
      throw gone;
    };
    await expect(
      openSealedFile(memory(single.stored), { envelope: single.envelope, kek, tenant: TENANT }),
    ).rejects.toBe(gone);
  });

  test('what is no sealed object, is refused', async () => {
    const options = { envelope: { recover: true }, kek: () => KEK, tenant: TENANT } as const;
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(63), randomBytes(528), randomBytes(100_000)]) {
      await expectRefused(() => openSealedFile(memory(bytes), options));
    }
  });

  test('a footer’s word for its own length is not followed past what is possible', async () => {
    const lying = Buffer.from(single.stored);
    lying.writeUInt32BE(0xffff_ffff, lying.length - 44);
    let asked = 0;
    const file = {
      size: lying.length,
      read: async (at: number, length: number) => {
        asked = Math.max(asked, length);
        return lying.subarray(at, at + length);
      },
    };
    await expectRefused(() => openSealedFile(file, { envelope: single.envelope, kek: () => KEK, tenant: TENANT }));
    expect(asked).toBe(64);
  });

  test('a reader that gives less than asked', async () => {
    const file = { size: single.stored.length, read: async (at: number) => single.stored.subarray(at, at + 10) };
    await expectRefused(() => openSealedFile(file, { envelope: single.envelope, kek: () => KEK, tenant: TENANT }));
  });
});
