import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as s3 from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { withStores } from '../../../src/cli/shell/with-stores.ts';
import { storeKeyOf } from '../../../src/encryption/store-key.ts';
import type { CustomerKey } from '../../../src/operations/encryption.ts';
import { filesHolding } from '../../support/at-rest.ts';
import { makeCertificate, type ServerCertificate } from '../../support/certificate.ts';
import { payload } from '../../support/payload.ts';
import { type GatewayProcess, TENANT } from '../../support/servers/gateway.ts';
import { type Minio, startMinio } from '../../support/servers/minio.ts';
import { type StoreStand, standOver } from '../../support/servers/stand.ts';
import { backendClient, listedKeys, onceClient, read, refusal } from '../../support/sight.ts';

const MIB = 1024 * 1024;
/** Begins every object's bytes, so that a search of the disk finds those that lie in clear. */
const MARKER = 'planted-plaintext-of-inject';
const KMS_SECRET = createHash('sha256').update('the KMS of the tests').digest('base64');
const BUCKETS = ['managed', 'kms', 'customer', 'other'].map(
  (name) => `acme-${name}:protection=inject:inject=${name === 'other' ? 'customer' : name}`,
);
const MORE = ['acme-none:protection=none', 'acme-seal', 'acme-mixed:protection=inject:inject=customer:mixed'];
const RULES = `rules:
  - { tenant: ${TENANT.name}, bucket: acme-kms, keys: [cards, absent] }
`;
/** A gateway hears of a new key or rule within a second; a loaded machine gets a few. */
const KNOWN = { timeout: 20_000 };

function plaintext(bytes: number, seed: number): Buffer {
  return Buffer.concat([Buffer.from(MARKER), payload(bytes - MARKER.length, seed)]);
}

/** What an answer tells of the encryption. */
function told(answer: object) {
  const { ServerSideEncryption, SSEKMSKeyId, SSECustomerAlgorithm, SSECustomerKeyMD5 } =
    answer as Partial<s3.PutObjectCommandOutput>;
  return { ServerSideEncryption, SSEKMSKeyId, SSECustomerAlgorithm, SSECustomerKeyMD5 };
}

const MANAGED = { ServerSideEncryption: 'AES256' } as const;
const KMS = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'cards' } as const;

async function rotate(gateway: GatewayProcess): Promise<number> {
  const terminal = { env: {}, cwd: gateway.folder, warn: () => undefined } as never;
  return withStores({ config: gateway.configFile, terminal }, async ({ administration }) => {
    return (await administration.rotateKey(TENANT.name)).current;
  });
}

/** The keys that MinIO was sent. */
async function storeKeys(gateway: GatewayProcess): Promise<readonly CustomerKey[]> {
  const terminal = { env: {}, cwd: gateway.folder, warn: () => undefined } as never;
  return withStores({ config: gateway.configFile, terminal }, async ({ administration, keyRings }) => {
    const tenant = (await administration.listTenants()).find(({ name }) => name === TENANT.name);
    const keks = await keyRings.all(tenant?.ringId ?? '');
    expect(keks).toHaveLength(2);
    return keks.flatMap(({ key }) =>
      ['acme-customer', 'acme-other'].map((bucket) => storeKeyOf(key, { tenant: TENANT.name, bucket })),
    );
  });
}

describe('objects that MinIO encrypts by itself, with TLS and its KMS', () => {
  let certificate: ServerCertificate;
  let minio: Minio;
  let stand: StoreStand;
  let client: s3.S3Client;
  let direct: s3.S3Client;

  beforeAll(async () => {
    certificate = await makeCertificate();
    minio = await startMinio({ certificate, env: { MINIO_KMS_SECRET_KEY: `cards:${KMS_SECRET}` } });
    stand = await standOver(minio, { buckets: [...BUCKETS, ...MORE] });
    client = onceClient(stand.gateway);
    direct = backendClient(minio);
    for (const name of ['managed', 'kms', 'customer', 'other', 'none', 'seal', 'mixed']) {
      await client.send(new s3.CreateBucketCommand({ Bucket: `acme-${name}` }));
    }
    const rules = join(stand.gateway.folder, 'policy.yaml');
    await writeFile(rules, RULES);
    expect(await stand.gateway.command(['policy', 'apply', rules, '--yes'])).toMatchObject({ code: 0 });
    const head = async () => {
      const Key = 'first';
      return told(await client.send(new s3.PutObjectCommand({ Bucket: 'acme-kms', Key, Body: 'x' }))).SSEKMSKeyId;
    };
    await vi.waitFor(async () => expect(await head()).toBe('cards'), KNOWN);
  });

  afterAll(async () => {
    client?.destroy();
    direct?.destroy();
    await stand?.stop();
    await certificate?.remove();
  });

  describe.each([
    ['managed', MANAGED, undefined],
    ['kms', KMS, 'aws:kms'],
    ['customer', MANAGED, undefined],
  ] as const)('inject: %s', (form, expected, method) => {
    const Bucket = `acme-${form}`;
    const at = (Key: string) => ({ Bucket, Key });

    it('every answer tells it, and what was written is read', async () => {
      const answers: object[] = [];
      const small = plaintext(1000, 1);
      answers.push(await client.send(new s3.PutObjectCommand({ ...at('k'), Body: small })));
      answers.push(await client.send(new s3.PutObjectCommand({ ...at('asked'), Body: small, ...expected })));
      answers.push(await client.send(new s3.CopyObjectCommand({ ...at('c'), CopySource: `${Bucket}/k` })));
      const created = await client.send(new s3.CreateMultipartUploadCommand(at('m')));
      const { UploadId } = created;
      const part = { ...at('m'), UploadId, PartNumber: 1 };
      const large = plaintext(5 * MIB, 2);
      const sent = await client.send(new s3.UploadPartCommand({ ...part, Body: large }));
      const copied = await client.send(
        new s3.UploadPartCopyCommand({ ...part, PartNumber: 2, CopySource: `${Bucket}/k` }),
      );
      const Parts = [sent.ETag, copied.CopyPartResult?.ETag].map((ETag, at) => ({ PartNumber: at + 1, ETag }));
      const MultipartUpload = { Parts };
      const completed = await client.send(
        new s3.CompleteMultipartUploadCommand({ ...at('m'), UploadId, MultipartUpload }),
      );
      answers.push(created, sent, copied, completed);
      for (const Key of ['k', 'asked', 'c', 'm']) {
        const whole = Key === 'm' ? Buffer.concat([large, small]) : small;
        const head = await client.send(new s3.HeadObjectCommand(at(Key)));
        const got = await client.send(new s3.GetObjectCommand(at(Key)));
        expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(whole)).toBe(true);
        expect(head.ContentLength).toBe(whole.length);
        expect(head.ETag).toBe(got.ETag);
        answers.push(head, got);
      }
      const unsaid = { SSEKMSKeyId: undefined, SSECustomerAlgorithm: undefined, SSECustomerKeyMD5: undefined };
      expect(answers.map(told)).toEqual(answers.map(() => ({ ...unsaid, ...expected })));
      const listed = await client.send(new s3.ListObjectsV2Command({ Bucket, Prefix: 'm' }));
      expect(listed.Contents?.map(({ Size, ETag }) => [Size, ETag])).toEqual([[5 * MIB + 1000, completed.ETag]]);
    });

    it('is what the store says, and on its disk nothing lies in clear', async () => {
      const head = refusal(direct.send(new s3.HeadObjectCommand(at('k'))));
      if (form === 'customer') {
        expect((await head)[0]).toBe(400);
        expect(await refusal(read(direct, at('k')))).toEqual([400, 'InvalidRequest']);
        const key = Buffer.alloc(32, 1);
        const SSECustomerKeyMD5 = createHash('md5').update(key).digest('base64');
        const other = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key.toString('base64'), SSECustomerKeyMD5 };
        expect(await refusal(read(direct, { ...at('k'), ...other }))).toEqual([403, 'AccessDenied']);
      } else {
        const { ServerSideEncryption, SSEKMSKeyId } = await direct.send(new s3.HeadObjectCommand(at('k')));
        expect([ServerSideEncryption, SSEKMSKeyId]).toEqual(
          method === undefined ? ['AES256', undefined] : [method, 'arn:aws:kms:cards'],
        );
      }
      expect(await filesHolding(join(minio.directory, Bucket), MARKER)).toEqual([]);
    });

    it('ranges, parts, attributes, conditions and presigned URLs', async () => {
      const whole = await read(client, at('m'));
      const some = await read(client, { ...at('m'), Range: `bytes=${MIB}-${MIB + 99_999}` });
      expect(some.equals(whole.subarray(MIB, MIB + 100_000))).toBe(true);
      expect((await read(client, { ...at('m'), Range: 'bytes=-10' })).equals(whole.subarray(-10))).toBe(true);
      expect((await read(client, { ...at('m'), PartNumber: 2 })).equals(whole.subarray(5 * MIB))).toBe(true);
      const attributes = await client.send(
        new s3.GetObjectAttributesCommand({ ...at('m'), ObjectAttributes: ['ObjectSize', 'ObjectParts', 'ETag'] }),
      );
      expect([attributes.ObjectSize, attributes.ObjectParts?.TotalPartsCount]).toEqual([whole.length, 2]);
      const { ETag } = await client.send(new s3.HeadObjectCommand(at('m')));
      expect((await refusal(read(client, { ...at('m'), IfNoneMatch: ETag })))[0]).toBe(304);
      expect((await read(client, { ...at('m'), IfMatch: ETag })).length).toBe(whole.length);
      expect(await refusal(read(client, { ...at('m'), IfMatch: '"0"' }))).toEqual([412, 'PreconditionFailed']);
      const got = await fetch(await getSignedUrl(client, new s3.GetObjectCommand(at('k'))));
      expect(Buffer.from(await got.arrayBuffer()).equals(plaintext(1000, 1))).toBe(true);
      const put = await getSignedUrl(client, new s3.PutObjectCommand(at('presigned')));
      expect((await fetch(put, { method: 'PUT', body: 'by url' })).status).toBe(200);
      expect((await read(client, at('presigned'))).toString()).toBe('by url');
    });

    it('an upload of unknown length, and one with many parts', async () => {
      const Body = plaintext(17 * MIB, 3);
      await new Upload({ client, params: { ...at('large'), Body }, partSize: 5 * MIB }).done();
      expect((await read(client, at('large'))).equals(Body)).toBe(true);
    });

    it('a copy onto itself changes metadata, small and large', async () => {
      for (const Key of ['k', 'large']) {
        const before = await read(client, at(Key));
        const Metadata = { changed: 'yes' };
        const CopySource = `${Bucket}/${Key}`;
        await client.send(new s3.CopyObjectCommand({ ...at(Key), CopySource, MetadataDirective: 'REPLACE', Metadata }));
        const head = await client.send(new s3.HeadObjectCommand(at(Key)));
        expect([head.Metadata, head.ServerSideEncryption]).toEqual([Metadata, expected.ServerSideEncryption]);
        expect((await read(client, at(Key))).equals(before)).toBe(true);
      }
    });

    it('an empty object', async () => {
      await client.send(new s3.PutObjectCommand({ ...at('empty'), Body: '' }));
      expect((await read(client, at('empty'))).length).toBe(0);
      await client.send(new s3.CopyObjectCommand({ ...at('empty-copy'), CopySource: `${Bucket}/empty` }));
      expect((await read(client, at('empty-copy'))).length).toBe(0);
    });

    it('customer keys of clients are refused, for writing and for reading', async () => {
      const key = Buffer.alloc(32, 7);
      const SSECustomerKeyMD5 = createHash('md5').update(key).digest('base64');
      const ssec = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key.toString('base64'), SSECustomerKeyMD5 };
      expect(await refusal(client.send(new s3.PutObjectCommand({ ...at('no'), Body: 'x', ...ssec })))).toEqual([
        403,
        'AccessDenied',
      ]);
      const other = expected === KMS ? MANAGED : { ServerSideEncryption: 'aws:kms' as const };
      expect(await refusal(client.send(new s3.PutObjectCommand({ ...at('no'), Body: 'x', ...other })))).toEqual([
        403,
        'AccessDenied',
      ]);
      expect(await listedKeys(client, Bucket, 'no')).toEqual([]);
    });
  });

  it('copies go between buckets of every protection', async () => {
    const forms = ['managed', 'kms', 'customer', 'other', 'none', 'seal'];
    const Body = plaintext(70_000, 9);
    for (const from of forms) await client.send(new s3.PutObjectCommand({ Bucket: `acme-${from}`, Key: 's', Body }));
    for (const from of forms) {
      for (const to of forms) {
        const [Bucket, Key] = [`acme-${to}`, `from-${from}`];
        await client.send(new s3.CopyObjectCommand({ Bucket, Key, CopySource: `acme-${from}/s` }));
        expect([from, to, (await read(client, { Bucket, Key })).equals(Body)]).toEqual([from, to, true]);
        const created = await client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key }));
        const upload = { Bucket, Key, UploadId: created.UploadId };
        const CopySource = `acme-${from}/s`;
        const { CopyPartResult } = await client.send(
          new s3.UploadPartCopyCommand({ ...upload, PartNumber: 1, CopySource }),
        );
        const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: CopyPartResult?.ETag }] };
        await client.send(new s3.CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
        expect([from, to, (await read(client, { Bucket, Key })).equals(Body)]).toEqual([from, to, true]);
      }
      if (from !== 'none') {
        const folder = join(minio.directory, `acme-${from}`);
        expect([from, await filesHolding(folder, MARKER)]).toEqual([from, []]);
      }
    }
    expect(await filesHolding(join(minio.directory, 'acme-none'), MARKER)).not.toEqual([]);
  });

  it('the key of a rule that the store’s KMS does not have', async () => {
    const asked = { Bucket: 'acme-kms', Key: 'no', Body: 'x', ServerSideEncryption: 'aws:kms' } as const;
    const put = (SSEKMSKeyId: string) => refusal(client.send(new s3.PutObjectCommand({ ...asked, SSEKMSKeyId })));
    expect(await put('absent')).toEqual([400, 'KMS.NotFoundException']);
    expect(await put('theirs')).toEqual([403, 'AccessDenied']);
  });

  it('what was written before the tenant’s key was rotated is read, and an upload goes on', async () => {
    const Bucket = 'acme-customer';
    const [old, large] = [plaintext(1000, 11), plaintext(5 * MIB, 12)];
    await client.send(new s3.PutObjectCommand({ Bucket, Key: 'old', Body: old }));
    const { UploadId } = await client.send(new s3.CreateMultipartUploadCommand({ Bucket, Key: 'begun' }));
    const part = { Bucket, Key: 'begun', UploadId };
    const first = await client.send(new s3.UploadPartCommand({ ...part, PartNumber: 1, Body: large }));
    const version = await rotate(stand.gateway);
    expect(version).toBe(2);
    // A process that remembers nothing of the upload, and takes the newest version first.
    await stand.gateway.terminate();
    await stand.gateway.start();
    expect((await read(client, { Bucket, Key: 'old' })).equals(old)).toBe(true);
    const second = await client.send(new s3.UploadPartCommand({ ...part, PartNumber: 2, Body: old }));
    const CopySource = `${Bucket}/old`;
    const { CopyPartResult } = await client.send(new s3.UploadPartCopyCommand({ ...part, PartNumber: 3, CopySource }));
    const Parts = [first.ETag, second.ETag].map((ETag, at) => ({ PartNumber: at + 1, ETag }));
    const small = await refusal(
      client.send(
        new s3.CompleteMultipartUploadCommand({
          ...part,
          MultipartUpload: { Parts: [...Parts, { PartNumber: 3, ETag: CopyPartResult?.ETag }] },
        }),
      ),
    );
    expect(small).toEqual([400, 'EntityTooSmall']);
    await client.send(new s3.CompleteMultipartUploadCommand({ ...part, MultipartUpload: { Parts } }));
    expect((await read(client, { Bucket, Key: 'begun' })).equals(Buffer.concat([large, old]))).toBe(true);
    await client.send(new s3.PutObjectCommand({ Bucket, Key: 'new', Body: old }));
    await client.send(new s3.CopyObjectCommand({ Bucket, Key: 'old-copy', CopySource }));
    for (const Key of ['new', 'old-copy']) expect((await read(client, { Bucket, Key })).equals(old)).toBe(true);
  });

  it('an object that lay there in clear is encrypted by a copy, where plaintext may be read', async () => {
    const Bucket = 'acme-mixed';
    const Body = plaintext(1000, 20);
    await direct.send(new s3.PutObjectCommand({ Bucket, Key: 'clear', Body }));
    expect((await read(client, { Bucket, Key: 'clear' })).equals(Body)).toBe(true);
    const CopySource = `${Bucket}/clear`;
    await client.send(new s3.CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
    expect((await read(client, { Bucket, Key: 'copy' })).equals(Body)).toBe(true);
    expect(await refusal(read(direct, { Bucket, Key: 'copy' }))).toEqual([400, 'InvalidRequest']);
    // MinIO takes no key together with If-Match for what has none (docs/policy.md, "Changing it").
    const self = new s3.CopyObjectCommand({ Bucket, Key: 'clear', CopySource, MetadataDirective: 'REPLACE' });
    expect(await refusal(client.send(self))).toEqual([400, 'InvalidRequest']);
    expect((await read(client, { Bucket, Key: 'clear' })).equals(Body)).toBe(true);
  });

  it('no key stands in the log, nor in the metrics', async () => {
    const metrics = await (await fetch(`${stand.gateway.admin}/metrics`)).text();
    const texts = [stand.gateway.output(), metrics];
    for (const key of await storeKeys(stand.gateway)) {
      for (const secret of [key.bytes, key.md5].flatMap((bytes) => [bytes.toString('hex'), bytes.toString('base64')])) {
        for (const text of texts) expect(text).not.toContain(secret);
      }
    }
    for (const text of texts) expect(text).not.toMatch(/customer-key|[A-Za-z0-9+/]{43}=/);
  });
});
