import { describe, expect, it } from 'vitest';
import { KEY_SOURCES, type KeySourceTable } from '../../../src/encryption/sources/table.ts';
import { clientError, type GatewayError } from '../../../src/errors.ts';
import type { BucketEncryption } from '../../../src/operations/bucket-encryption.ts';
import type { EncryptionFacts } from '../../../src/operations/encryption.ts';
import type { Operation } from '../../../src/operations/operation.ts';
import { authorize } from '../../../src/pipeline/admission/authorize.ts';
import { createBucket, deleteBucket } from '../../../src/pipeline/bucket/buckets.ts';
import {
  deleteBucketEncryption,
  getBucketEncryption,
  putBucketEncryption,
} from '../../../src/pipeline/bucket/encryption.ts';
import type { OperationContext } from '../../../src/pipeline/context.ts';
import { copyObject } from '../../../src/pipeline/copy/copy.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { RequestTrace } from '../../../src/pipeline/trace.ts';
import { createUpload } from '../../../src/pipeline/upload/create.ts';
import { uploadPart } from '../../../src/pipeline/upload/part.ts';
import { postObject } from '../../../src/pipeline/write/post.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { ToyKeySource } from '../../seams/toy-key-source/toy-key-source.ts';
import { payload } from '../../support/payload.ts';
import { BUCKET, copyOf, headOf, type InProcess, inProcess, putOf, refusalOf, verifiedBody } from '../in-process.ts';

/** Keys for KMS as a test has them: of the key `cards`, and of none else. */
const SOURCES: KeySourceTable = {
  ...KEY_SOURCES,
  kms: {
    settings: {},
    open: () => ({
      of({ asked }) {
        if (asked?.kind === 'kms' && asked.keyId !== 'cards') throw clientError('InvalidArgument', 'no such key');
        return new ToyKeySource('acme');
      },
    }),
  },
};
const OF_THE_TOY: EncryptionFacts = { kind: 'kms', keyId: 'toy' };
const MANAGED: EncryptionFacts = { kind: 'managed' };
const CARDS = { method: { form: 'kms', keyId: 'cards' }, bucketKey: true, customerKeys: undefined } as const;
const UNSET: BucketEncryption = { form: 'managed', keyId: undefined, bucketKey: false, customerKeys: undefined };
const OPEN = 'acme-open';

/** The context that admission makes for an operation. */
async function admitted(stand: InProcess, operation: Operation): Promise<OperationContext> {
  const { tenant, client } = stand.at(BUCKET);
  const encryption = await stand.tools.bucketDefaults.encryptionFor(operation, tenant);
  const bucket = 'ref' in operation ? operation.ref.bucket : BUCKET;
  const asker = { tenant, client, signal: new AbortController().signal, trace: new RequestTrace(), encryption };
  return authorize(bucket, asker, stand.tools);
}

const set = (stand: InProcess, asked = CARDS as Parameters<typeof putBucketEncryption>[0]['asked'], bucket = BUCKET) =>
  putBucketEncryption({ kind: 'PutBucketEncryption', bucket, asked }, stand.at(bucket));
const told = async (stand: InProcess, bucket = BUCKET) =>
  (await getBucketEncryption({ kind: 'GetBucketEncryption', bucket }, stand.at(bucket))).rule;
const reset = (stand: InProcess, bucket = BUCKET) =>
  deleteBucketEncryption({ kind: 'DeleteBucketEncryption', bucket }, stand.at(bucket));

async function put(stand: InProcess, key: string): Promise<EncryptionFacts | undefined> {
  const operation = putOf(key);
  return (await putObject(operation, verifiedBody(payload(1000, 1)), await admitted(stand, operation))).encryption;
}

const createOf = (key: string) =>
  ({
    kind: 'CreateMultipartUpload',
    ref: { bucket: BUCKET, key },
    metadata: putOf(key).metadata,
    checksum: undefined,
  }) as const;

describe('the default of a bucket', () => {
  it('is what every request gets that begins an object and says nothing', async () => {
    const stand = await inProcess({ keySources: SOURCES });
    expect(await put(stand, 'before')).toEqual(MANAGED);
    await set(stand);
    expect(await put(stand, 'k')).toEqual(OF_THE_TOY);
    const form = { ...putOf('form'), kind: 'PostObject', reply: { redirect: undefined, status: 204 } } as const;
    const posted = await postObject(form, verifiedBody(payload(10, 1)), await admitted(stand, form));
    expect(posted.stored.encryption).toEqual(OF_THE_TOY);
    // A copy never has the form of its source.
    const copy = copyOf(`${BUCKET}/before`, 'copied');
    expect((await copyObject(copy, await admitted(stand, copy))).encryption).toEqual(OF_THE_TOY);
    const create = createOf('m');
    expect((await createUpload(create, await admitted(stand, create))).encryption).toEqual(OF_THE_TOY);
  });

  it('yields to what a request says, and leaves what lies there', async () => {
    const stand = await inProcess({ keySources: SOURCES });
    await put(stand, 'before');
    await set(stand);
    const asking = { ...putOf('said'), encryption: { kind: 'managed', algorithm: 'AES256' } as const };
    const stored = await putObject(asking, verifiedBody(payload(10, 1)), await admitted(stand, asking));
    expect(stored.encryption).toEqual(MANAGED);
    const head = headOf('before');
    expect((await headObject(head, await admitted(stand, head))).facts.encryption).toEqual(MANAGED);
  });

  it('is fixed for an upload when it begins', async () => {
    const stand = await inProcess({ keySources: SOURCES });
    const create = createOf('m');
    const { ref, uploadId, encryption } = await createUpload(create, await admitted(stand, create));
    expect(encryption).toEqual(MANAGED);
    await set(stand);
    const part = { kind: 'UploadPart', ref, uploadId, partNumber: 1 } as const;
    const sent = await uploadPart(part, verifiedBody(payload(10, 1)), await admitted(stand, part));
    expect(sent.encryption).toEqual(MANAGED);
  });

  it('is told as it was set, and AES256 where nothing was or is any more', async () => {
    const stand = await inProcess({ keySources: SOURCES });
    expect(await told(stand)).toEqual(UNSET);
    await set(stand);
    expect(await told(stand)).toMatchObject({ form: 'kms', keyId: 'cards', bucketKey: true });
    await reset(stand);
    expect(await told(stand)).toEqual(UNSET);
    expect(await put(stand, 'k')).toEqual(MANAGED);
  });

  it('must have a key, and a bucket', async () => {
    const stand = await inProcess({ keySources: SOURCES });
    const named = { ...CARDS, method: { form: 'kms', keyId: 'other' } } as const;
    expect(await refusalOf(set(stand, named))).toBe('InvalidArgument');
    expect(await told(stand)).toEqual(UNSET);
    expect(await refusalOf(set(await inProcess()))).toBe('KmsKeyNotFound');
    const { managed } = KEY_SOURCES;
    expect(await refusalOf(set(await inProcess({ keySources: { ...(managed && { managed }) } })))).toBe(
      'NotImplemented',
    );
    const nowhere = stand.at(BUCKET);
    for (const refused of [
      getBucketEncryption({ kind: 'GetBucketEncryption', bucket: 'nowhere' }, nowhere),
      deleteBucketEncryption({ kind: 'DeleteBucketEncryption', bucket: 'nowhere' }, nowhere),
      putBucketEncryption({ kind: 'PutBucketEncryption', bucket: 'nowhere', asked: CARDS }, nowhere),
    ]) {
      expect(await refusalOf(refused)).toBe('NoSuchBucket');
    }
  });

  it('is none where nothing is encrypted', async () => {
    const stand = await inProcess({ keySources: SOURCES, buckets: [{ pattern: OPEN, protection: 'none' }] });
    expect(await refusalOf(set(stand, CARDS, OPEN))).toBe('NotImplemented');
    expect(await refusalOf(told(stand, OPEN))).toBe('NoBucketEncryption');
    await reset(stand, OPEN);
    const refused = await told(stand, OPEN).catch((error: GatewayError) => error.message);
    expect(refused).toContain('protection: none');
  });

  it('never reaches the store, and costs a write without one no request', async () => {
    const stand = await inProcess({ keySources: SOURCES });
    stand.asked();
    await put(stand, 'k');
    expect(stand.asked()).toEqual([`PUT /${BUCKET}/k`]);
    await set(stand);
    await told(stand);
    await reset(stand);
    expect(stand.asked().filter((request) => request.includes('?encryption'))).toEqual([]);
  });

  it('costs the writes to its bucket one listing of buckets in a while', async () => {
    const stand = await inProcess({ keySources: SOURCES });
    await set(stand);
    stand.asked();
    for (const key of ['a', 'b', 'c']) expect(await put(stand, key)).toEqual(OF_THE_TOY);
    expect(stand.asked().filter((request) => request === 'GET /').length).toBeLessThanOrEqual(1);
  });
});

describe('a bucket that is deleted and made again', () => {
  it('has no default', async () => {
    const stand = await inProcess({ keySources: SOURCES, buckets: [{ pattern: 'acme-gone' }] });
    const bucket = 'acme-gone';
    await set(stand, CARDS, bucket);
    expect((await stand.handling.tools.bucketDefaults.read(stand.at(bucket).tenant, bucket)).form).toBe('kms');
    await deleteBucket({ kind: 'DeleteBucket', bucket }, stand.at(bucket));
    await createBucket({ kind: 'CreateBucket', bucket, location: undefined }, stand.at(bucket));
    expect(await told(stand, bucket)).toEqual(UNSET);
  });

  it('has none either where that was done past the gateway', async () => {
    const stand = await inProcess({ keySources: SOURCES, buckets: [{ pattern: 'acme-gone' }] });
    const bucket = 'acme-gone';
    const { store, signal } = stand.at(bucket);
    await set(stand, CARDS, bucket);
    await store.buckets.delete(bucket, signal);
    await store.buckets.create({ kind: 'CreateBucket', bucket, location: undefined }, signal);
    expect(await told(stand, bucket)).toEqual(UNSET);
  });

  it('blocks customer keys where the settings say so of new buckets', async () => {
    const stand = await inProcess({ newBuckets: 'block', buckets: [{ pattern: 'acme-gone' }] });
    const bucket = 'acme-gone';
    expect(await told(stand, bucket)).toEqual(UNSET);
    await deleteBucket({ kind: 'DeleteBucket', bucket }, stand.at(bucket));
    await createBucket({ kind: 'CreateBucket', bucket, location: undefined }, stand.at(bucket));
    expect(await told(stand, bucket)).toMatchObject({ ...UNSET, customerKeys: 'blocked' });
  });
});
