import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { KeySources } from '../../../src/encryption/key-sources.ts';
import { checkAskedForms } from '../../../src/encryption/rules.ts';
import { KEY_SOURCES, type KeySourceTable, keySourceSettings } from '../../../src/encryption/sources/table.ts';
import { decodeEnvelope, ENVELOPE_ENTRY, readEnvelopeHead } from '../../../src/envelope/envelope.ts';
import { fingerprintOf } from '../../../src/keys/fingerprint.ts';
import { CustomerKey, type EncryptionFacts } from '../../../src/operations/encryption.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { createUpload } from '../../../src/pipeline/upload/create.ts';
import { uploadPart } from '../../../src/pipeline/upload/part.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { keySourceContract } from '../../encryption/key-source-contract.ts';
import {
  BUCKET,
  bodyOf,
  copyOf,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  putOf,
  refusalOf,
  verifiedBody,
} from '../../pipeline/in-process.ts';
import { PART, startUpload } from '../../pipeline/upload/upload-stand.ts';
import { payload } from '../../support/payload.ts';
import { ToyKeySource, toyRow } from './toy-key-source.ts';

/** Registered from here alone: requests that ask for a KMS key get the toy's, and so do those that ask for nothing. */
const SOURCES: KeySourceTable = { ...KEY_SOURCES, managed: toyRow, kms: toyRow };
const SECTION = z.strictObject(keySourceSettings(SOURCES));
const OVER = { keySources: SOURCES, encryption: SECTION.parse({ toy: { keyId: 'toy' } }) };

const KMS: EncryptionFacts = { kind: 'kms', keyId: 'toy' };

keySourceContract('a toy', async () => ({
  open: () => new ToyKeySource('acme'),
  otherTenants: () => new ToyKeySource('beta'),
  unknown: [
    { ringId: 'ffffffffffffffff', version: 7 },
    { ringId: (await new ToyKeySource('acme').forNew()).ringId, version: 6 },
  ],
  foreign: 'KeyUnavailable',
}));

async function put(stand: InProcess, key: string, bytes: Buffer) {
  return putObject(putOf(key), verifiedBody(bytes), stand.context());
}

/** What every operation answers of the encryption, in its own words or in the product's. */
async function told(stand: InProcess): Promise<readonly (EncryptionFacts | undefined)[]> {
  const upload = await createUpload(
    {
      kind: 'CreateMultipartUpload',
      ref: { bucket: BUCKET, key: 'm' },
      metadata: putOf('m').metadata,
      checksum: undefined,
    },
    stand.context(),
  );
  const part = { kind: 'UploadPart', ref: upload.ref, uploadId: upload.uploadId, partNumber: 1 } as const;
  const sent = await uploadPart(part, verifiedBody(payload(10, 1)), stand.context());
  const other = await startUpload(stand, 'whole');
  const completed = await other.complete([await other.send(1, payload(10, 1))]);
  return [
    (await put(stand, 'a', payload(1000, 1))).encryption,
    (await copyObject(copyOf(`${BUCKET}/a`, 'b'), stand.context())).encryption,
    upload.encryption,
    sent.encryption,
    completed.encryption,
    (await getObject(getOf('a'), stand.context())).facts.encryption,
    (await headObject(headOf('b'), stand.context())).facts.encryption,
    (await headObject(headOf('whole'), stand.context())).facts.encryption,
  ];
}

describe('its settings', () => {
  it('ask for it, and without them its form is refused', async () => {
    expect(Object.keys(keySourceSettings(SOURCES))).toEqual(['toy']);
    expect(SECTION.safeParse({ toy: { keyId: '' } }).success).toBe(false);
    const { keyRings } = await inProcess();
    const table = { ...KEY_SOURCES, kms: toyRow };
    const [asked, unasked] = [OVER.encryption, SECTION.parse({})].map(
      (section) => new KeySources(table, { keyRings }, section),
    );
    expect([asked?.has('kms'), unasked?.has('kms'), unasked?.has('managed')]).toEqual([true, false, true]);
    const before = toyRow.closed;
    await Promise.all([asked?.close(), unasked?.close()]);
    expect(toyRow.closed - before).toBe(1);
  });
});

describe('the pipeline with a toy’s keys', () => {
  it('seals, opens, copies and completes uploads, and tells the toy’s facts of all', async () => {
    const stand = await inProcess(OVER);
    expect(await told(stand)).toEqual(Array(8).fill(KMS));
    const copied = await getObject(getOf('b'), stand.context());
    expect((await bodyOf(copied)).equals(payload(1000, 1))).toBe(true);
    const upload = await startUpload(stand, 'parts');
    const parts = [await upload.send(1, payload(PART, 1)), await upload.send(2, payload(99, 2))];
    await upload.complete(parts);
    const whole = await bodyOf(await getObject(getOf('parts'), stand.context()));
    expect(whole.equals(Buffer.concat([payload(PART, 1), payload(99, 2)]))).toBe(true);
    const { record } = await stand.stored.read(BUCKET, 'parts');
    const text = record.metadata.find(([name]) => name === ENVELOPE_ENTRY)?.[1] as string;
    const { ringId } = await new ToyKeySource('acme').forNew();
    expect(readEnvelopeHead(decodeEnvelope(text))).toMatchObject({ keyRingId: ringId, kekVersion: 7, requested: 2 });
  });

  it('takes what asks for its form, which is refused where nothing has keys for it', async () => {
    const stand = await inProcess(OVER);
    const asking = { ...putOf('k'), encryption: { kind: 'kms', keyId: undefined, context: undefined } as const };
    checkAskedForms(asking, stand.tools.keySources);
    const nothing = { has: () => false };
    expect(await refusalOf((async () => checkAskedForms(asking, nothing))())).toBe('NotImplemented');
  });
});

it('a key that its customer keeps stands in the envelope without a name, and opens the object', async () => {
  const bytes = payload(32, 9);
  const asked = { kind: 'customer', key: new CustomerKey(bytes, Buffer.alloc(16, 1)) } as const;
  const told = { kind: 'customer', keyMd5: asked.key.md5 } as const;
  const key = createSecretKey(bytes);
  const customers = { ringId: '0000000000000000', version: 0, key, fingerprint: fingerprintOf(key), told };
  const keys = {
    form: 'customer',
    scope: 'a customer',
    forNew: async () => customers,
    forExisting: async () => customers,
  } as const;
  const row = { settings: {}, open: () => ({ of: () => keys }) };
  const stand = await inProcess({ keySources: { ...KEY_SOURCES, customer: row } });
  const context = () => ({ ...stand.context(), keys });
  expect((await putObject(putOf('c'), verifiedBody(payload(1000, 1)), context())).encryption).toBe(told);
  const source = { ref: { bucket: BUCKET, key: 'c' }, conditions: {}, encryption: asked };
  expect((await copyObject(copyOf(`${BUCKET}/c`, 'd', { source }), context())).encryption).toBe(told);
  expect(await bodyOf(await getObject(getOf('d'), context()))).toEqual(payload(1000, 1));
  const { record } = await stand.stored.read(BUCKET, 'd');
  const text = record.metadata.find(([name]) => name === ENVELOPE_ENTRY)?.[1] as string;
  expect(readEnvelopeHead(decodeEnvelope(text))).toMatchObject({ keyRingId: customers.ringId, requested: 3 });
  // To keys of another kind the copy is told anew.
  expect((await copyObject(copyOf(`${BUCKET}/c`, 'e', { source }), stand.context())).encryption).toEqual({
    kind: 'managed',
  });
  expect(await bodyOf(await getObject(getOf('e'), stand.context()))).toEqual(payload(1000, 1));
});

describe('what was opened under one source’s keys', () => {
  it('is not opened under another’s, though it is remembered', async () => {
    const stand = await inProcess(OVER);
    await put(stand, 'k', payload(1000, 1));
    await bodyOf(await getObject(getOf('k'), stand.context())); // so that its envelope is remembered
    const context = stand.context();
    const [toy, other] = [new ToyKeySource('acme'), new ToyKeySource('beta')];
    expect(await refusalOf(getObject(getOf('k'), { ...context, keys: other }))).toBe('KeyUnavailable');
    // One that claims the key’s name, and has another key, is refused like an altered envelope, remembered or not.
    const name = await toy.forNew();
    const wrong = { ...(await other.forNew()), ringId: name.ringId, version: name.version };
    for (const scope of [toy.scope, other.scope]) {
      const keys = { form: 'kms', scope, forNew: async () => wrong, forExisting: async () => wrong } as const;
      expect(await refusalOf(getObject(getOf('k'), { ...context, keys }))).toBe('ObjectCorrupted');
    }
    expect((await bodyOf(await getObject(getOf('k'), stand.context()))).equals(payload(1000, 1))).toBe(true);
  });
});

it('the product’s own sources tell of managed keys, and of nothing where objects lie as they were sent', async () => {
  const stand = await inProcess();
  expect(await told(stand)).toEqual(Array(8).fill({ kind: 'managed' }));
  const plain: InProcess = { ...stand, context: () => stand.context({ protection: 'none' }) };
  const answers = await Promise.all([
    put(plain, 'p', payload(10, 1)).then(({ encryption }) => encryption),
    put(plain, 'q', payload(10, 1)).then(async () => (await getObject(getOf('q'), plain.context())).facts.encryption),
  ]);
  expect(answers).toEqual([undefined, undefined]);
});
