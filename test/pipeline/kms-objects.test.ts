import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CONTEXT_ENTRY } from '../../src/envelope/encryption-context.ts';
import { decodeEnvelope, ENVELOPE_ENTRY, readEnvelopeHead } from '../../src/envelope/envelope.ts';
import { RING, type RingState } from '../../src/keys/key-ring.ts';
import type { AskedEncryption, EncryptionFacts } from '../../src/operations/encryption.ts';
import type { MetadataEntry } from '../../src/operations/object.ts';
import { listObjects } from '../../src/pipeline/bucket/list.ts';
import type { OperationContext } from '../../src/pipeline/context.ts';
import { copyObject } from '../../src/pipeline/copy/copy.ts';
import { uploadPartCopy } from '../../src/pipeline/copy/copy-part.ts';
import { lookAtMetadata, repairMetadata } from '../../src/pipeline/copy/repair-metadata.ts';
import { getObject } from '../../src/pipeline/read/get.ts';
import { headObject } from '../../src/pipeline/read/head.ts';
import { createUpload } from '../../src/pipeline/upload/create.ts';
import { listParts } from '../../src/pipeline/upload/list.ts';
import { uploadPart } from '../../src/pipeline/upload/part.ts';
import { putObject } from '../../src/pipeline/write/put.ts';
import type { BucketPolicy } from '../../src/tenants/bucket-policy.ts';
import { payload } from '../support/payload.ts';
import {
  BUCKET,
  bodyOf,
  copyOf,
  elsewhere,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  listOf,
  putOf,
  refusalOf,
  verifiedBody,
} from './in-process.ts';
import { PART, startUpload } from './upload/upload-stand.ts';

type AskedKms = Extract<AskedEncryption, { readonly kind: 'kms' }>;

const CONTEXT = Buffer.from('{"dept":"cards","year":"2026"}').toString('base64');
const CARDS: EncryptionFacts = { kind: 'kms', keyId: 'cards' };
const PAYROLL: EncryptionFacts = { kind: 'kms', keyId: 'payroll' };
const DEFAULT: EncryptionFacts = { kind: 'kms', keyId: 'aws/s3' };
const MANAGED: EncryptionFacts = { kind: 'managed' };
const BODY = payload(1000, 1);

async function withKeys(options: Parameters<typeof inProcess>[0] = {}) {
  const stand = await inProcess(options);
  const cards = await stand.keyRings.createNamed('acme', 'cards');
  const payroll = await stand.keyRings.createNamed('acme', 'payroll');
  return { stand, cards, payroll };
}

/** The context of a request that asks for a KMS key, or for nothing. */
function asking(
  stand: InProcess,
  asked: Partial<AskedKms> | undefined,
  policy: Partial<BucketPolicy> = {},
): OperationContext {
  const context = stand.context(policy);
  if (asked === undefined) return context;
  const encryption: AskedEncryption = { kind: 'kms', keyId: undefined, context: undefined, ...asked };
  return { ...context, keys: stand.tools.keySources.open({ ...context, asked: encryption }) };
}

const put = (context: OperationContext, key: string, bytes = BODY, user: readonly MetadataEntry[] = []) =>
  putObject(putOf(key, { metadata: { content: {}, user } }), verifiedBody(bytes), context);

async function read(context: OperationContext, key: string) {
  const got = await getObject(getOf(key), context);
  return { body: await bodyOf(got), encryption: got.facts.encryption, etag: got.facts.etag, facts: got.facts };
}

async function userMetadata(stand: InProcess, key: string): Promise<Map<string, string>> {
  const { store } = stand.tools;
  const stored = await store.head({ ref: { bucket: BUCKET, key }, conditions: {} }, new AbortController().signal);
  return new Map(stored.metadata.user);
}

async function objectId(stand: InProcess, key: string): Promise<Buffer> {
  return readEnvelopeHead(decodeEnvelope((await userMetadata(stand, key)).get(ENVELOPE_ENTRY) ?? '')).oid;
}

/** Puts other metadata under a stored object, as whoever has the store can. */
async function setMetadata(stand: InProcess, key: string, user: ReadonlyMap<string, string>): Promise<void> {
  const ref = { bucket: BUCKET, key };
  const signal = new AbortController().signal;
  const { etag, metadata } = await stand.tools.store.head({ ref, conditions: {} }, signal);
  const copy = { ref, source: { ref, etag }, metadata: { ...metadata, user: [...user] }, tags: 'copy' } as const;
  await stand.tools.store.copy(copy, signal);
}

describe('every answer tells the key of the object', () => {
  it.each([
    ['cards', CARDS],
    ['alias/cards', CARDS],
    [undefined, DEFAULT],
  ] as const)('asked for as %s', async (keyId, told) => {
    const { stand } = await withKeys();
    const kms = () => asking(stand, { keyId });
    const plain = () => asking(stand, undefined);
    const ref = { bucket: BUCKET, key: 'm' };
    const metadata = putOf('m').metadata;
    const created = await createUpload({ kind: 'CreateMultipartUpload', ref, metadata, checksum: undefined }, kms());
    const part = { ref, uploadId: created.uploadId, partNumber: 1 };
    await put(plain(), 'managed');
    const source = { ref: { bucket: BUCKET, key: 'managed' }, conditions: {} };
    const whole = await startUpload(stand, 'whole');
    expect((await whole.complete([await whole.send(1, BODY)])).encryption).toEqual(MANAGED);
    const answers = [
      created.encryption,
      (await put(kms(), 'a')).encryption,
      (await copyObject(copyOf(`${BUCKET}/managed`, 'b'), kms())).encryption,
      (await uploadPart({ kind: 'UploadPart', ...part }, verifiedBody(BODY), plain())).encryption,
      (await uploadPartCopy({ kind: 'UploadPartCopy', ...part, source, range: undefined }, plain())).encryption,
    ];
    for (const key of ['a', 'b']) {
      const got = await read(plain(), key);
      expect(got.body.equals(BODY)).toBe(true);
      answers.push(got.encryption, (await headObject(headOf(key), plain())).facts.encryption);
    }
    expect(answers).toEqual(answers.map(() => told));
    expect((await read(plain(), 'managed')).encryption).toEqual(MANAGED);
  });

  it('an upload, to its end and afterwards, through a gateway that remembers nothing', async () => {
    const { stand, cards } = await withKeys();
    const bytes = [payload(PART, 1), payload(99, 2)] as const;
    // Later requests of an upload say nothing of encryption.
    let first = true;
    const context = () => {
      const asked = first ? { keyId: 'cards', context: CONTEXT, bucketKey: true } : undefined;
      first = false;
      return elsewhere(asking(stand, asked));
    };
    const upload = await startUpload(stand, 'parts', { context });
    const parts = [await upload.send(1, bytes[0]), await upload.send(2, bytes[1])];
    const listed = await listParts(
      { kind: 'ListParts', ...upload.named, partNumberMarker: 0, maxParts: 10, urlEncoded: false },
      context(),
    );
    expect(listed.parts.map(({ plaintextBytes }) => plaintextBytes)).toEqual([PART, 99]);
    const told = { ...CARDS, bucketKey: true };
    expect((await upload.complete(parts)).encryption).toEqual(told);
    expect((await upload.complete(parts)).encryption).toEqual(told);
    const got = await read(context(), 'parts');
    expect(got.body.equals(Buffer.concat(bytes))).toBe(true);
    expect(got.encryption).toEqual(told);
    const user = await userMetadata(stand, 'parts');
    const head = readEnvelopeHead(decodeEnvelope(user.get(ENVELOPE_ENTRY) ?? ''));
    expect(head).toMatchObject({ keyRingId: cards.id, kekVersion: 1, requested: 2, hasContext: true, multipart: true });
  });

  it('an object of unknown length', async () => {
    const { stand } = await withKeys();
    const bytes = payload(9_000_000, 3);
    await putObject(
      putOf('stream'),
      verifiedBody(bytes, { declared: false }),
      asking(stand, { keyId: 'cards', context: CONTEXT }),
    );
    const got = await read(elsewhere(asking(stand, undefined)), 'stream');
    expect(got.body.equals(bytes)).toBe(true);
    expect(got.encryption).toEqual(CARDS);
  });
});

describe('copies', () => {
  const FORMS = [
    [undefined, MANAGED],
    [{ keyId: undefined }, DEFAULT],
    [{ keyId: 'cards' }, CARDS],
    [
      { keyId: 'cards', context: CONTEXT, bucketKey: true },
      { ...CARDS, bucketKey: true },
    ],
    [{ keyId: 'payroll' }, PAYROLL],
  ] as const satisfies readonly (readonly [Partial<AskedKms> | undefined, EncryptionFacts])[];

  it('between all forms have the form that the copy asks for, and move no byte', async () => {
    const { stand } = await withKeys();
    for (const [at, [source]] of FORMS.entries()) await put(asking(stand, source), `source-${at}`);
    for (const [at] of FORMS.entries()) {
      for (const [to, [wanted, told]] of FORMS.entries()) {
        const key = `copy-${at}-${to}`;
        const copied = await copyObject(copyOf(`${BUCKET}/source-${at}`, key), asking(stand, wanted));
        expect(copied.encryption).toEqual(told);
        // The object id is that of the stored bytes: an object that is opened and sealed again has another.
        expect(await objectId(stand, key)).toEqual(await objectId(stand, `source-${at}`));
        const got = await read(elsewhere(asking(stand, undefined)), key);
        expect(got.body.equals(BODY)).toBe(true);
        expect(got.encryption).toEqual(told);
      }
    }
  });

  it('onto themselves change the form, and a context goes with it', async () => {
    const { stand } = await withKeys();
    await put(asking(stand, { keyId: 'cards', context: CONTEXT }), 'k');
    expect((await userMetadata(stand, 'k')).has(CONTEXT_ENTRY)).toBe(true);
    for (const [wanted, told] of [...FORMS, ...FORMS.toReversed()]) {
      const operation = copyOf(`${BUCKET}/k`, 'k', { replacement: { content: {}, user: [['round', 'n']] } });
      await copyObject(operation, asking(stand, wanted));
      const got = await read(elsewhere(asking(stand, undefined)), 'k');
      expect([got.body.equals(BODY), got.encryption]).toEqual([true, told]);
      const hasContext = wanted !== undefined && 'context' in wanted;
      expect((await userMetadata(stand, 'k')).has(CONTEXT_ENTRY)).toBe(hasContext);
    }
  });

  it('into a bucket of MD5 ETags have one exactly where their key is a managed one', async () => {
    const { stand } = await withKeys();
    const md5 = createHash('md5').update(BODY).digest('hex');
    const policy = { etag: 'md5' } as const;
    const listed = async () => {
      const { objects, release } = await listObjects(listOf({ prefix: 'k' }), stand.context(policy));
      release();
      return objects[0]?.etag;
    };
    await put(asking(stand, undefined, policy), 'managed');
    await put(asking(stand, { keyId: 'cards' }, policy), 'kms');
    for (const source of ['managed', 'kms', 'managed', 'kms']) {
      for (const wanted of [undefined, { keyId: 'cards' }, undefined, { keyId: 'payroll' }]) {
        const { etag } = await copyObject(copyOf(`${BUCKET}/${source}`, 'k'), asking(stand, wanted, policy));
        const shown = [
          etag,
          (await read(asking(stand, undefined, policy), 'k')).etag,
          (await headObject(headOf('k'), elsewhere(asking(stand, undefined, policy)))).facts.etag,
          await listed(),
        ];
        expect(new Set(shown).size).toBe(1);
        if (wanted === undefined && source === 'managed') expect(etag).toBe(md5);
        if (wanted !== undefined) expect(etag).toMatch(/-0$/);
      }
    }
  });
});

it('a gateway that knows the MD5 of what was copied before does not tell it of a copy under a KMS key', async () => {
  const { stand } = await withKeys();
  const policy = { etag: 'md5' } as const;
  const md5 = createHash('md5').update(BODY).digest('hex');
  const other = await stand.anotherProcess({ emptyIndex: false });
  const listedThere = async () => {
    const context = stand.context(policy);
    const there = { ...context, ...other, policy: context.policy, formats: other.formatsFor(context.policy) };
    const { objects, release } = await listObjects(listOf({ prefix: 'k' }), there);
    release();
    return objects[0]?.etag;
  };
  await put(asking(stand, undefined, policy), 'source');
  const copy = (asked: Partial<AskedKms> | undefined) =>
    copyObject(copyOf(`${BUCKET}/source`, 'k'), asking(stand, asked, policy));
  expect((await copy(undefined)).etag).toBe(md5);
  expect(await listedThere()).toBe(md5);
  const { etag } = await copy({ keyId: 'cards' });
  expect(etag).toMatch(/-0$/);
  expect(await listedThere()).toBe(etag);
  await copy(undefined);
  expect(await listedThere()).toBe(md5);
});

describe('the ETag', () => {
  const policy = { etag: 'md5' } as const;
  const digest = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');

  it('of an object under a KMS key is never the MD5 of its plaintext, nor that of its parts', async () => {
    const { stand } = await withKeys();
    const kms = () => asking(stand, { keyId: 'cards' }, policy);
    const proof = () => ({ checksum: undefined, md5: createHash('md5').update(BODY).digest() });
    const body = { ...verifiedBody(BODY), provesMd5: true, proof };
    const stored = await putObject(putOf('one'), body, kms());
    const upload = await startUpload(stand, 'parts', { context: kms });
    const parts = [await upload.send(1, payload(PART, 1)), await upload.send(2, BODY)];
    const completed = await upload.complete(parts);
    const etags = [stored.etag, completed.etag, ...parts.map(({ etag }) => etag)];
    for (const { formats, etags: known } of [stand.context(policy), elsewhere(stand.context(policy))]) {
      const context = { ...stand.context(policy), formats, etags: known };
      const { objects, release } = await listObjects(listOf(), context);
      release();
      etags.push(...objects.map(({ etag }) => etag));
      for (const key of ['one', 'parts']) {
        etags.push((await read(context, key)).etag, (await headObject(headOf(key), context)).facts.etag);
      }
    }
    const everything = etags.join(' ');
    for (const bytes of [BODY, payload(PART, 1)]) expect(everything).not.toContain(digest(bytes));
    for (const etag of etags) expect(etag).toMatch(/-\d+$/);
    expect(new Set(etags.filter((etag) => etag === stored.etag)).size).toBe(1);
  });
});

describe('an encryption context that was', () => {
  const tampered = async (change: (user: Map<string, string>, other: Map<string, string>) => void) => {
    const { stand } = await withKeys();
    await put(asking(stand, { keyId: 'cards', context: CONTEXT }), 'k');
    await put(asking(stand, { keyId: 'cards', context: CONTEXT }), 'other');
    const [user, other] = [await userMetadata(stand, 'k'), await userMetadata(stand, 'other')];
    expect((await read(asking(stand, undefined), 'k')).body.equals(BODY)).toBe(true); // so that it is remembered
    change(user, other);
    await setMetadata(stand, 'k', user);
    const request = () => asking(stand, undefined);
    return [
      await refusalOf(read(request(), 'k')),
      await refusalOf(read(elsewhere(request()), 'k')),
      await refusalOf(headObject(headOf('k'), request())),
      await refusalOf(copyObject(copyOf(`${BUCKET}/k`, 'copy'), request())),
      await refusalOf(read(asking(stand, { keyId: 'cards', context: CONTEXT }), 'k')),
    ];
  };
  const refused = Array(5).fill('ObjectCorrupted');

  it('not touched opens', async () => {
    expect(await tampered(() => undefined)).toEqual(Array(5).fill('none'));
  });

  it('removed, altered, or taken from another object does not open', async () => {
    expect(await tampered((user) => user.delete(CONTEXT_ENTRY))).toEqual(refused);
    expect(await tampered((user) => user.set(CONTEXT_ENTRY, ''))).toEqual(refused);
    expect(
      await tampered((user) => {
        const text = user.get(CONTEXT_ENTRY) ?? '';
        user.set(CONTEXT_ENTRY, `${text[0] === 'A' ? 'B' : 'A'}${text.slice(1)}`);
      }),
    ).toEqual(refused);
    expect(await tampered((user, other) => user.set(CONTEXT_ENTRY, other.get(CONTEXT_ENTRY) ?? ''))).toEqual(refused);
  });

  it('lost together with the flag that tells of it does not open either', async () => {
    expect(
      await tampered((user) => {
        const envelope = Buffer.from(user.get(ENVELOPE_ENTRY) ?? '', 'base64url');
        envelope[2] = (envelope[2] as number) & ~0x40;
        user.set(ENVELOPE_ENTRY, envelope.toString('base64url')).delete(CONTEXT_ENTRY);
      }),
    ).toEqual(refused);
  });

  it('added to an object that has none changes nothing', async () => {
    const { stand } = await withKeys();
    await put(asking(stand, { keyId: 'cards' }), 'k');
    const user = await userMetadata(stand, 'k');
    await setMetadata(stand, 'k', user.set(CONTEXT_ENTRY, 'AAAA'));
    const got = await read(elsewhere(asking(stand, undefined)), 'k');
    expect([got.body.equals(BODY), got.encryption, got.facts.metadata.user]).toEqual([true, CARDS, []]);
  });
});

it('is told to nobody: neither metadata nor the store’s bytes show the context', async () => {
  const { stand } = await withKeys();
  await put(asking(stand, { keyId: 'cards', context: CONTEXT }), 'k');
  const got = await read(asking(stand, undefined), 'k');
  expect(got.facts.metadata.user).toEqual([]);
  expect(JSON.stringify([...(await userMetadata(stand, 'k'))])).not.toMatch(/dept|cards/);
});

it('counts with the client’s metadata, and what is too large is refused before anything is stored', async () => {
  const { stand } = await withKeys();
  const long = (bytes: number) => Buffer.from(`{"k":"${'x'.repeat(bytes - 8)}"}`).toString('base64');
  const kms = (bytes: number) => asking(stand, { keyId: 'cards', context: long(bytes) });
  await put(kms(1024), 'fits', BODY, [['a', 'b'.repeat(300)]]);
  expect(await refusalOf(put(kms(1024), 'large', BODY, [['a', 'b'.repeat(600)]]))).toBe('MetadataTooLarge');
  expect(await refusalOf(put(asking(stand, { keyId: 'cards' }), 'fits', BODY, [['a', 'b'.repeat(600)]]))).toBe('none');
  expect(await refusalOf(read(stand.context(), 'large'))).toBe('NoSuchKey');
});

describe('a write that is refused', () => {
  it.each([
    ['unknown', 'KmsKeyNotFound'],
    ['theirs', 'KmsKeyNotFound'],
    ['disabled', 'KmsKeyDisabled'],
  ] as const)('because its key is %s leaves what was there', async (keyId, code) => {
    const { stand } = await withKeys();
    await stand.keyRings.createNamed('beta', 'theirs');
    const { id } = await stand.keyRings.createNamed('acme', 'disabled');
    await setState(stand, id, 'disabled');
    await put(asking(stand, undefined), 'k');
    const kms = () => asking(stand, { keyId });
    expect(await refusalOf(put(kms(), 'k', payload(5)))).toBe(code);
    expect(await refusalOf(copyObject(copyOf(`${BUCKET}/k`, 'k'), kms()))).toBe(code);
    expect(await refusalOf(startUpload(stand, 'k', { context: kms }))).toBe(code);
    expect((await read(asking(stand, undefined), 'k')).body.equals(BODY)).toBe(true);
  });
});

describe('an object whose key was', () => {
  it.each([
    ['disabled', 'KmsKeyDisabled'],
    ['pending', 'KmsKeyInvalidState'],
    ['destroyed', 'KmsKeyNotFound'],
  ] as const)('%s does not open, and can be replaced and listed', async (how, code) => {
    const { stand, cards } = await withKeys();
    const stored = await put(asking(stand, { keyId: 'cards' }), 'k');
    await read(asking(stand, undefined), 'k');
    if (how === 'destroyed') await stand.keyRings.remove(cards.id);
    else await setState(stand, cards.id, how);
    expect(await refusalOf(read(asking(stand, undefined), 'k'))).toBe(code);
    expect(await refusalOf(headObject(headOf('k'), asking(stand, undefined)))).toBe(code);
    for (const policy of [{}, { etag: 'md5' }] as const) {
      const { objects, release } = await listObjects(listOf(), stand.context(policy));
      release();
      expect(objects).toMatchObject([{ key: 'k', etag: stored.etag, plaintextBytes: BODY.length }]);
    }
    const put2 = putOf('k', { conditions: { ifMatch: `"${stored.etag}"` } });
    await putObject(put2, verifiedBody(payload(5)), stand.context({ etag: 'md5' }));
    expect((await read(asking(stand, undefined), 'k')).encryption).toEqual(MANAGED);
  });
});

it('a repair keeps key and context', async () => {
  const { stand, cards } = await withKeys();
  const asked = { keyId: 'cards', context: CONTEXT, bucketKey: true };
  for (const bytes of [100, 17 * 1024 * 1024]) {
    const body = payload(bytes, 5);
    await put(asking(stand, asked), 'k', body, [['kept', '1']]);
    const user = await userMetadata(stand, 'k');
    user.delete('kept');
    await setMetadata(stand, 'k', user);
    expect(await refusalOf(read(asking(stand, undefined), 'k'))).toBe('ObjectCorrupted');
    const ref = { bucket: BUCKET, key: 'k' };
    await repairMetadata(ref, await lookAtMetadata(ref, stand.context()), stand.context());
    const got = await read(elsewhere(asking(stand, undefined)), 'k');
    expect([got.body.equals(body), got.encryption]).toEqual([true, { ...CARDS, bucketKey: true }]);
    const head = readEnvelopeHead(decodeEnvelope((await userMetadata(stand, 'k')).get(ENVELOPE_ENTRY) ?? ''));
    expect(head).toMatchObject({ keyRingId: cards.id, hasContext: true });
  }
});

/** Puts a ring into another state, as an administrator will. */
async function setState({ records }: InProcess, id: string, state: RingState): Promise<void> {
  const held = await records.read(RING, id);
  if (held === undefined) throw new Error('There is no such ring.');
  await records.put(RING, id, { ...held.value, state }, held.revision);
}
