import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../keys/eventually.ts';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { type GatewayProcess, startGateway } from '../../support/servers/gateway.ts';
import type { Stand } from '../../support/servers/stand.ts';
import { backendSettings } from '../../support/servers/store.ts';
import { backendClient, onceClient, refusal } from '../../support/sight.ts';

const SSE = 's3:x-amz-server-side-encryption';
const KEY = { SSECustomerAlgorithm: 'AES256', SSECustomerKey: Buffer.alloc(32, 7).toString('base64') } as const;
const AES256 = { ServerSideEncryption: 'AES256' } as const;
const DENIED = [403, 'AccessDenied'];
const DONE = [undefined, 'nothing failed'];

type Conditions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const deny = (Bucket: string, Condition: Conditions, over: object = {}) => ({
  ...{ Sid: 'Encrypted', Effect: 'Deny', Principal: '*', Action: 's3:PutObject' },
  ...{ Resource: `arn:aws:s3:::${Bucket}/*`, Condition, ...over },
});
const readable = (Bucket: string) => ({
  ...{ Sid: 'Readable', Effect: 'Allow', Principal: { AWS: ['*'] }, Action: ['s3:GetObject'] },
  Resource: [`arn:aws:s3:::${Bucket}/public/*`],
});
const documentOf = (...statements: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Id: 'of the test', Statement: statements });

describe.each(ALL_STANDS)('the policies of buckets over %s', (_name, start) => {
  let stand: Stand;
  let client: S3Client;
  let buckets = 0;

  async function bucket(...statements: readonly ((bucket: string) => object)[]): Promise<string> {
    const Bucket = `acme-policy-${++buckets}`;
    await client.send(new CreateBucketCommand({ Bucket }));
    if (statements.length > 0) await set(Bucket, ...statements.map((make) => make(Bucket)));
    return Bucket;
  }

  const set = (Bucket: string, ...statements: readonly object[]) =>
    client.send(new PutBucketPolicyCommand({ Bucket, Policy: documentOf(...statements) }));
  const told = async (Bucket: string) => (await client.send(new GetBucketPolicyCommand({ Bucket }))).Policy;
  const put = (Bucket: string, asked: Partial<PutObjectCommandInput> = {}, by = client) =>
    refusal(by.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ...asked })));

  const unencrypted = (Bucket: string) => deny(Bucket, { Null: { [SSE]: 'true' } });

  beforeAll(async () => {
    stand = await start({ more: { customerKeys: { overHttp: 'always' } } });
    client = onceClient(stand.gateway);
    expect(await stand.gateway.command(['key', 'add', 'acme', '--name', 'cards'])).toMatchObject({ code: 0 });
    expect(await stand.gateway.command(['key', 'add', 'acme', '--name', 'other'])).toMatchObject({ code: 0 });
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  it('hold that objects are asked to be encrypted (the tests put_obj_s3_noenc and put_obj_kms_noenc of ceph/s3-tests)', async () => {
    const Bucket = await bucket(unencrypted);
    expect(await put(Bucket)).toEqual(DENIED);
    expect(await put(Bucket, AES256)).toEqual(DONE);
    await set(Bucket, deny(Bucket, { StringNotEquals: { [SSE]: 'aws:kms' } }), unencrypted(Bucket));
    expect(await put(Bucket, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'cards' })).toEqual(DONE);
    for (const asked of [{}, AES256, KEY]) expect(await put(Bucket, asked)).toEqual(DENIED);
  });

  it('hold how they are (put_obj_s3_incorrect_algo_sse_s3, put_obj_s3_kms, put_obj_kms_s3)', async () => {
    const Bucket = await bucket((name) => deny(name, { StringNotEquals: { [SSE]: 'AES256' } }), unencrypted);
    const kms = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'fool-me-twice' } as const;
    const unknown = { ServerSideEncryption: 'AES192' } as unknown as PutObjectCommandInput;
    for (const asked of [{}, kms, KEY, unknown]) expect(await put(Bucket, asked)).toEqual(DENIED);
    expect(await put(Bucket, AES256)).toEqual(DONE);
    await client.send(new DeleteBucketPolicyCommand({ Bucket }));
    expect(await put(Bucket, kms)).toEqual([400, 'KMS.NotFoundException']);
    expect(await put(Bucket, unknown)).toEqual([400, 'InvalidArgument']);
  });

  it('hold which KMS key they have, however it is called', async () => {
    const keyId = `${SSE}-aws-kms-key-id`;
    const Bucket = await bucket((name) => deny(name, { StringNotEqualsIfExists: { [keyId]: 'alias/cards' } }));
    const arn = 'arn:aws:kms:us-east-1:111122223333:key/cards';
    for (const SSEKMSKeyId of ['cards', 'alias/cards', arn]) {
      expect(await put(Bucket, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId })).toEqual(DONE);
    }
    for (const SSEKMSKeyId of ['other', undefined]) {
      expect(await put(Bucket, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId })).toEqual(DENIED);
    }
  });

  it('demand customer keys, and forbid them (sse_c_enforced_with_bucket_policy, sse_c_deny_algo_with_bucket_policy)', async () => {
    const algorithm = `${SSE}-customer-algorithm`;
    const Bucket = await bucket((name) => deny(name, { Null: { [algorithm]: 'true' } }));
    expect([await put(Bucket), await put(Bucket, KEY)]).toEqual([DENIED, DONE]);
    await set(Bucket, deny(Bucket, { StringNotEquals: { [algorithm]: 'AES256' } }));
    expect([await put(Bucket, { SSECustomerAlgorithm: 'AES192' }), await put(Bucket, KEY)]).toEqual([DENIED, DONE]);
    // Parts and the end of an upload bring the key, as S3 demands it where a policy does.
    const upload = { Bucket, Key: 'large' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...upload, ...KEY }));
    const part = { ...upload, UploadId, PartNumber: 1, Body: 'x' };
    expect(await refusal(client.send(new UploadPartCommand(part)))).toEqual(DENIED);
    const { ETag } = await client.send(new UploadPartCommand({ ...part, ...KEY }));
    const complete = { ...upload, UploadId, MultipartUpload: { Parts: [{ ETag, PartNumber: 1 }] } };
    expect(await refusal(client.send(new CompleteMultipartUploadCommand(complete)))).toEqual(DENIED);
    await client.send(new CompleteMultipartUploadCommand({ ...complete, ...KEY }));
    await set(Bucket, deny(Bucket, { Null: { [algorithm]: 'false' } }));
    expect([await put(Bucket), await put(Bucket, KEY)]).toEqual([DONE, DENIED]);
  });

  it('are held for copies, uploads, presigned URLs and forms', async () => {
    const source = await bucket();
    await put(source);
    const Bucket = await bucket(unencrypted);
    const copy = (asked: object) =>
      refusal(client.send(new CopyObjectCommand({ Bucket, Key: 'c', CopySource: `${source}/k`, ...asked })));
    expect([await copy({}), await copy(AES256)]).toEqual([DENIED, DONE]);
    const upload = { Bucket, Key: 'large' };
    expect(await refusal(client.send(new CreateMultipartUploadCommand(upload)))).toEqual(DENIED);
    // As at AWS, parts say nothing of encryption.
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...upload, ...AES256 }));
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: 'x' }));
    const Parts = [{ ETag, PartNumber: 1 }];
    await client.send(new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload: { Parts } }));

    const byUrl = async (asked: object, headers: Record<string, string>) => {
      const url = await getSignedUrl(client, new PutObjectCommand({ Bucket, Key: 'u', ...asked }));
      return (await fetch(url, { method: 'PUT', headers, body: 'x' })).status;
    };
    const header = { 'x-amz-server-side-encryption': 'AES256' };
    expect([await byUrl({}, {}), await byUrl({}, header), await byUrl(AES256, header)]).toEqual([403, 403, 200]);
    const byForm = async (Fields: Record<string, string>) => {
      const Conditions = Object.entries(Fields).map(([name, value]) => ({ [name]: value }));
      const { url, fields } = await createPresignedPost(client, { Bucket, Key: 'f', Fields, Conditions });
      const body = new FormData();
      for (const [name, value] of Object.entries(fields)) body.append(name, value);
      body.append('file', new Blob(['x']));
      return (await fetch(url, { method: 'POST', body })).status;
    };
    expect([await byForm({}), await byForm(header)]).toEqual([403, 204]);
  });

  it('name the statement in the log', async () => {
    const Bucket = await bucket((name) => deny(name, { Null: { [SSE]: 'true' } }, { Sid: `Log of ${name}` }));
    expect(await put(Bucket)).toEqual(DENIED);
    const line = () =>
      stand.gateway
        .output()
        .split('\n')
        .find((each) => each.includes(`bucket policy Log of ${Bucket}`));
    await eventually(5000, async () => line() !== undefined);
    expect(JSON.parse(line() ?? '')).toMatchObject({
      ...{ operation: 'PutObject', bucket: Bucket, status: 403, errorCode: 'AccessDenied' },
      rule: `bucket policy Log of ${Bucket}`,
    });
  });

  it('are told as they were set, and leave the store what is the store’s', async () => {
    if (stand.store === undefined) return;
    const backend = backendClient(stand.store);
    const inStore = async (Bucket: string): Promise<unknown> => {
      const stored = await backend.send(new GetBucketPolicyCommand({ Bucket })).catch(({ name }: Error) => name);
      return typeof stored === 'string' ? stored : JSON.parse(stored.Policy ?? '').Statement.length;
    };
    const isPublic = async (Bucket: string) =>
      (await client.send(new GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus?.IsPublic;
    const Bucket = await bucket(readable);
    const one = await refusal(isPublic(Bucket));
    expect([await inStore(Bucket), JSON.parse((await told(Bucket)) ?? '').Statement.length]).toEqual([1, 1]);
    await set(Bucket, readable(Bucket), unencrypted(Bucket));
    expect(await told(Bucket)).toBe(documentOf(readable(Bucket), unencrypted(Bucket)));
    expect(await inStore(Bucket)).toBe(1);
    expect(await refusal(isPublic(Bucket))).toEqual(one);
    expect(await put(Bucket)).toEqual(DENIED);
    // Nothing is left for the store.
    await set(Bucket, unencrypted(Bucket));
    expect(await told(Bucket)).toBe(documentOf(unencrypted(Bucket)));
    expect(await inStore(Bucket)).toBe('NoSuchBucketPolicy');
    const refused = await refusal(isPublic(Bucket));
    if (refused[1] === 'nothing failed') expect(await isPublic(Bucket)).toBe(false);
    else expect(refused).toEqual([501, 'NotImplemented']);
    await client.send(new DeleteBucketPolicyCommand({ Bucket }));
    expect(await refusal(told(Bucket))).toEqual([404, 'NoSuchBucketPolicy']);
    expect(await put(Bucket)).toEqual(DONE);
    // What the store refuses is not held either.
    const wrong = { ...readable(Bucket), Action: 's3:NoSuchAction' };
    const [status, code] = await refusal(set(Bucket, wrong, unencrypted(Bucket)));
    expect([status, code]).toEqual([400, 'MalformedPolicy']);
    expect([await refusal(told(Bucket)), await put(Bucket)]).toEqual([[404, 'NoSuchBucketPolicy'], DONE]);
    backend.destroy();
  });

  it('are refused where they cannot be held, and the one before stays', async () => {
    const Bucket = await bucket(unencrypted);
    const like = deny(Bucket, { StringLike: { [SSE]: 'AES*' } }, { Sid: 'Like' });
    const refused = set(Bucket, like).catch((error: Error) => error.message);
    expect(await refused).toContain(`"StringLike" on "${SSE}" in the statement Like`);
    expect(await refusal(set(Bucket, like))).toEqual([501, 'NotImplemented']);
    expect(await refusal(set(Bucket, deny(Bucket, {}, { ...unencrypted(Bucket), Effect: 'Allow' })))).toEqual([
      ...[501, 'NotImplemented'],
    ]);
    expect(await refusal(set(Bucket, deny(Bucket, { Null: { [`${SSE}-context`]: 'true' } })))).toEqual([
      ...[400, 'MalformedPolicy'],
    ]);
    expect(await refusal(set('acme-policy-none', unencrypted('acme-policy-none')))).toEqual([404, 'NoSuchBucket']);
    expect(await told(Bucket)).toBe(documentOf(unencrypted(Bucket)));
    expect(await put(Bucket)).toEqual(DENIED);
  });

  it('go with their bucket, by whomever it is made anew', async () => {
    const Bucket = await bucket(unencrypted);
    await client.send(new DeleteBucketCommand({ Bucket }));
    await client.send(new CreateBucketCommand({ Bucket }));
    expect(await put(Bucket)).toEqual(DONE);
    if (stand.store === undefined) return;
    const backend = backendClient(stand.store);
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
    await set(Bucket, unencrypted(Bucket));
    await backend.send(new DeleteBucketCommand({ Bucket }));
    await client.send(new CreateBucketCommand({ Bucket }));
    expect(await put(Bucket)).toEqual(DONE);
    if (stand.store.capabilities.lastingBucketDates) {
      await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
      await set(Bucket, unencrypted(Bucket));
      expect(await put(Bucket)).toEqual(DENIED);
      await backend.send(new DeleteBucketCommand({ Bucket }));
      await backend.send(new CreateBucketCommand({ Bucket }));
      await expect.poll(() => put(Bucket), { timeout: 5000 }).toEqual(DONE);
      expect(await refusal(told(Bucket))).toEqual([404, 'NoSuchBucketPolicy']);
    }
    backend.destroy();
  });

  it('are in force on other gateways within a second, and on those that start later', async () => {
    if (stand.store === undefined || stand.redis === undefined) return;
    const settings = {
      backend: backendSettings(stand.store),
      keyStore: { redis: stand.redis.url },
      tenantExists: true,
    };
    const others: GatewayProcess[] = [];
    const another = async () => {
      const gateway = await startGateway(settings);
      others.push(gateway);
      return onceClient(gateway);
    };
    try {
      const Bucket = await bucket();
      const there = await another();
      expect(await put(Bucket, {}, there)).toEqual(DONE);
      await set(Bucket, unencrypted(Bucket));
      await expect.poll(() => put(Bucket, {}, there), { timeout: 1000, interval: 50 }).toEqual(DENIED);
      expect(await put(Bucket, {}, await another())).toEqual(DENIED);
      expect(await put(Bucket, AES256, there)).toEqual(DONE);
      await there.send(new DeleteBucketPolicyCommand({ Bucket }));
      await expect.poll(() => put(Bucket), { timeout: 1000, interval: 50 }).toEqual(DONE);
    } finally {
      for (const gateway of others) await gateway.stop();
    }
  });
});
