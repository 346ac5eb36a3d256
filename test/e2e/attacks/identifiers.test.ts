import { randomInt, randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { dirname, join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Signing, UnsignedRequest } from '../../dialects/s3/signature/signing.ts';
import { payload } from '../../support/payload.ts';
import { rawExchange, signedExchange } from '../../support/raw-exchange.ts';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { TENANT } from '../../support/servers/gateway.ts';
import type { Stand } from '../../support/servers/stand.ts';
import { backendClient, listedKeys, onceClient, read, refusal } from '../../support/sight.ts';
import { Dice, forged } from './forge.ts';

/**
 * A tenant that names what is not its own: by keys, upload ids, versions, markers and tokens that climb out of its bucket,
 * in clear or encoded. Another tenant's objects and a file of the store's host must be there afterwards, byte for byte,
 * and be served without anybody waiting for a lock.
 */

const OTHER = {
  accessKeyId: 'AKIDSEALGATETEST0002',
  secretAccessKey: 'plantedSecretAccessKeyOfTenantOther00002',
} as const;
const OTHERS = 'other-bucket';
const SEALED = 'acme-sealed';
const PLAIN = 'acme-plain';
const VICTIMS = ['victim', 'a', 'b/a'];

const SEED = Number(process.env.SEALGATE_TEST_FUZZ_SEED ?? randomInt(2 ** 31));
const REQUESTS = Number(process.env.SEALGATE_TEST_FUZZ_REQUESTS ?? 600);
const AT_ONCE = 8;
/** MinIO waits for a lock of its own for a minute: an answer that takes half of that is such a wait. */
const PATIENCE_MILLISECONDS = 30_000;

const base64url = (text: string) => Buffer.from(text, 'latin1').toString('base64url');

describe.each(ALL_STANDS)('identifiers over %s', (name, start) => {
  let stand: Stand;
  let client: S3Client;
  let others: S3Client;
  let canaryFile: string;
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  const canary = Buffer.from(`canary ${randomUUID()}`);
  /** Versity S3 Gateway and MinIO keep keys as paths. */
  const ofPaths = () => stand.store !== undefined;

  beforeAll(async () => {
    const more = { domains: ['s3.test'] };
    stand = await start({
      buckets: ['acme-*', `${PLAIN}:protection=none`, 'sealgate-*', 'minio', 'admin', 'swift'],
      more,
    });
    const secret = join(stand.gateway.folder, 'other.secret');
    await writeFile(secret, OTHER.secretAccessKey, { mode: 0o600 });
    const key = ['--access-key', OTHER.accessKeyId, '--secret-file', secret];
    const added = await stand.gateway.command(['tenant', 'add', 'other', '--bucket', 'other-*', ...key]);
    expect(added.code, added.stderr).toBe(0);
    client = onceClient(stand.gateway);
    others = onceClient(stand.gateway, OTHER);
    const objects = stand.store?.directory ?? join(stand.gateway.folder, 'objects');
    canaryFile = join(dirname(objects), `canary-${randomUUID()}`);
    await writeFile(canaryFile, canary);
    for (const Bucket of [SEALED, PLAIN]) {
      await client.send(new CreateBucketCommand({ Bucket }));
      await client.send(new PutObjectCommand({ Bucket, Key: 'innocent', Body: canary }));
    }
    await others.send(new CreateBucketCommand({ Bucket: OTHERS }));
    for (const Key of VICTIMS) await others.send(new PutObjectCommand({ Bucket: OTHERS, Key, Body: canary }));
  });

  afterAll(async () => {
    agent.destroy();
    for (const each of [client, others]) each?.destroy();
    await stand?.stop();
    if (canaryFile !== undefined) await rm(canaryFile, { force: true });
  });

  /** Nothing of anybody else's was touched. */
  async function expectUntouched(): Promise<void> {
    const abortSignal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
    for (const Key of VICTIMS) {
      await others.send(new HeadObjectCommand({ Bucket: OTHERS, Key }), { abortSignal });
      expect(await read(others, { Bucket: OTHERS, Key })).toEqual(canary);
    }
    expect((await listedKeys(others, OTHERS)).toSorted()).toEqual(VICTIMS.toSorted());
    for (const Bucket of [SEALED, PLAIN]) expect(await read(client, { Bucket, Key: 'innocent' })).toEqual(canary);
    expect(await readFile(canaryFile)).toEqual(canary);
  }

  const signing = (): Signing => {
    const { accessKeyId, secretAccessKey } = TENANT;
    return { accessKeyId, secretAccessKey, host: `127.0.0.1:${stand.gateway.port}`, date: new Date() };
  };
  const wire = () => ({ port: stand.gateway.port, agent, patienceMilliseconds: PATIENCE_MILLISECONDS });
  const ask = async (asked: UnsignedRequest) => rawExchange(wire(), await signedExchange(asked, signing()));
  const told = async (asked: UnsignedRequest) => {
    const { status, code } = await ask(asked);
    return [status, code];
  };

  it.each([
    ['../../../../other-bucket', 'a path'],
    ['../../../../../other-bucket/victim', 'a path to an object'],
    ['..', 'a folder'],
    [base64url('x.../../../../../other-bucket/a'), 'a path in base64'],
    [base64url('\xff.../../../../other-bucket/a'), 'a path in base64 that is no text'],
    [base64url(base64url('x.../../../../other-bucket/a')), 'a path in base64 of base64'],
    ['0fb7f2bd-7d3b-4d6b-a2d5-f6ff4a2b3d4e', 'nothing'],
  ])('an upload id %s, which names %s, is no upload', async (UploadId) => {
    for (const Bucket of [SEALED, PLAIN]) {
      const upload = { Bucket, Key: 'k', UploadId };
      const none = [404, 'NoSuchUpload'];
      const CopySource = `${PLAIN}/innocent`;
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: '"e"' }] };
      expect(await refusal(client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: canary })))).toEqual(
        none,
      );
      expect(await refusal(client.send(new UploadPartCopyCommand({ ...upload, PartNumber: 1, CopySource })))).toEqual(
        none,
      );
      expect(await refusal(client.send(new ListPartsCommand(upload)))).toEqual(none);
      expect(await refusal(client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload })))).toEqual(
        none,
      );
      expect(await refusal(client.send(new AbortMultipartUploadCommand(upload)))).toEqual(none);
    }
    await expectUntouched();
  });

  it('an upload of another key, bucket or tenant is none of this one', async () => {
    const bytes = payload(100, 1);
    const { UploadId } = await others.send(new CreateMultipartUploadCommand({ Bucket: OTHERS, Key: 'k' }));
    const own = await client.send(new CreateMultipartUploadCommand({ Bucket: PLAIN, Key: 'k' }));
    for (const stolen of [
      { Bucket: PLAIN, Key: 'k', UploadId },
      { Bucket: SEALED, Key: 'k', UploadId },
      { Bucket: PLAIN, Key: 'another', UploadId: own.UploadId },
      { Bucket: SEALED, Key: 'k', UploadId: own.UploadId },
    ]) {
      const part = new UploadPartCommand({ ...stolen, PartNumber: 1, Body: bytes });
      expect(await refusal(client.send(part))).toEqual([404, 'NoSuchUpload']);
      expect(await refusal(client.send(new AbortMultipartUploadCommand(stolen)))).toEqual([404, 'NoSuchUpload']);
    }
    const upload = { Bucket: OTHERS, Key: 'k', UploadId };
    const { ETag } = await others.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: bytes }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    await others.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }));
    expect(await read(others, { Bucket: OTHERS, Key: 'k' })).toEqual(bytes);
    await ask({ method: 'DELETE', path: `/${PLAIN}/k`, query: { uploadId: own.UploadId as string } });
    await others.send(new DeleteObjectsCommand({ Bucket: OTHERS, Delete: { Objects: [{ Key: 'k' }] } }));
  });

  it('an upload that the gateway did not begin is found in the store’s listing', async () => {
    if (stand.store === undefined) return; // nobody else reaches the embedded store
    const store = backendClient(stand.store);
    const upload = { Bucket: PLAIN, Key: 'from before', UploadId: '' };
    const begun = await store.send(new CreateMultipartUploadCommand({ Bucket: PLAIN, Key: upload.Key }));
    upload.UploadId = begun.UploadId as string;
    const bytes = payload(100, 2);
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: bytes }));
    expect((await client.send(new ListPartsCommand(upload))).Parts).toMatchObject([{ PartNumber: 1, Size: 100 }]);
    await client.send(
      new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }),
    );
    expect(await read(client, { Bucket: PLAIN, Key: upload.Key })).toEqual(bytes);
    const orphan = await store.send(new CreateMultipartUploadCommand({ Bucket: SEALED, Key: 'orphan' }));
    const aborted = { Bucket: SEALED, Key: 'orphan', UploadId: orphan.UploadId };
    await client.send(new AbortMultipartUploadCommand(aborted));
    expect(await refusal(client.send(new AbortMultipartUploadCommand(aborted)))).toEqual([404, 'NoSuchUpload']);
    store.destroy();
  });

  it('keys that climb fail each for itself in a batch, and the others are deleted', async () => {
    const climbing = [
      '../other-bucket/victim',
      '../b/a',
      '../../x',
      'a/../../b/a',
      'a/../other',
      `../../${canaryFile}`,
      '..',
      'a//b',
    ];
    for (const Bucket of [SEALED, PLAIN]) {
      for (const Key of ['one', 'two']) await client.send(new PutObjectCommand({ Bucket, Key, Body: canary }));
      const Objects = ['one', ...climbing, 'two'].map((Key) => ({ Key }));
      const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
      const refused = Errors.map(({ Key, Code }) => [Key, Code]);
      expect(refused).toEqual(ofPaths() ? climbing.map((key) => [key, 'InvalidArgument']) : []);
      expect(await listedKeys(client, Bucket)).toEqual(expect.not.arrayContaining(['one', 'two']));
      const alone = await client.send(
        new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: '../other-bucket/a' }] } }),
      );
      expect(alone.Errors?.map(({ Code }) => Code)).toEqual(ofPaths() ? ['InvalidArgument'] : undefined);
    }
    await expectUntouched();
  });

  it('a key that climbs is refused by each operation of a store of paths, and is a name to the others', async () => {
    const refused = [400, 'InvalidArgument'];
    for (const key of [
      '../other-bucket/victim',
      'a/../../other-bucket/victim',
      './innocent',
      'x/..',
      'x//y',
      'x\\..\\y',
    ]) {
      const path = `/${PLAIN}/${key.split('/').map(encodeURIComponent).join('/')}`;
      const body = Buffer.from('mine');
      if (!ofPaths()) {
        expect(await told({ method: 'PUT', path, body })).toEqual([200, undefined]);
        expect((await ask({ method: 'GET', path })).body).toBe('mine');
        expect(await told({ method: 'GET', path, query: { tagging: '' } })).toEqual([200, undefined]);
        expect(await told({ method: 'DELETE', path })).toEqual([204, undefined]);
        continue;
      }
      for (const [method, query] of [
        ['GET', {}],
        ['PUT', {}],
        ['DELETE', {}],
        ['GET', { tagging: '' }],
        ['DELETE', { tagging: '' }],
        ['GET', { acl: '' }],
        ['GET', { 'legal-hold': '' }],
        ['POST', { uploads: '' }],
      ] as const) {
        expect([method, query, ...(await told({ method, path, query }))]).toEqual([method, query, ...refused]);
      }
      const copy = { 'x-amz-copy-source': `${PLAIN}/innocent` };
      expect(await told({ method: 'PUT', path, headers: copy })).toEqual(refused);
      const source = { 'x-amz-copy-source': `${PLAIN}/${encodeURIComponent(key)}` };
      expect(await told({ method: 'PUT', path: `/${PLAIN}/copy`, headers: source })).toEqual(refused);
    }
    await expectUntouched();
  });

  it('versions, markers and tokens that climb are refused', async () => {
    const path = `/${PLAIN}/innocent`;
    const refused = [400, 'InvalidArgument'];
    for (const versionId of ['../../other-bucket/victim', '..', 'a\\b', 'a\u0000']) {
      for (const [method, query] of [
        ['GET', {}],
        ['DELETE', {}],
        ['GET', { tagging: '' }],
      ] as const) {
        expect(await told({ method, path, query: { ...query, versionId } })).toEqual(refused);
      }
      const headers = { 'x-amz-copy-source': `${PLAIN}/innocent?versionId=${encodeURIComponent(versionId)}` };
      expect(await told({ method: 'PUT', path: `/${PLAIN}/copy`, headers })).toEqual(refused);
    }
    if (!ofPaths()) return;
    const own = '[minio_cache:v2,id:../../../other-bucket/.metacache/x,p:0,s:0]';
    const listings: readonly Record<string, string>[] = [
      { prefix: '../other-bucket/' },
      { marker: 'a/../../other-bucket/victim' },
      { marker: `a${own}` },
      { 'list-type': '2', 'start-after': '../a' },
      { 'list-type': '2', 'continuation-token': Buffer.from(`a${own}`).toString('base64') },
      { 'list-type': '2', 'continuation-token': Buffer.from('../../other-bucket/a').toString('base64') },
      { versions: '', 'key-marker': 'a/..' },
      { versions: '', 'key-marker': 'a', 'version-id-marker': '../x' },
      { uploads: '', 'key-marker': 'a', 'upload-id-marker': base64url('x.../../other-bucket') },
    ];
    for (const query of listings) {
      expect([query, ...(await told({ method: 'GET', path: `/${PLAIN}`, query }))]).toEqual([query, ...refused]);
    }
  });

  it('a listing goes on from the store’s own words', async () => {
    for (let at = 0; at < 5; at++)
      await client.send(new PutObjectCommand({ Bucket: SEALED, Key: `page/${at}`, Body: canary }));
    const seen: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const asked = { Bucket: SEALED, Prefix: 'page/', MaxKeys: 2, ContinuationToken };
      const page = await client.send(new ListObjectsV2Command(asked));
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(seen).toEqual(['page/0', 'page/1', 'page/2', 'page/3', 'page/4']);
  });

  it('buckets that the store or a gateway has for itself are nobody’s', async () => {
    const staging = ['sealgate-staging-0123456789abcdef', 'sealgate-staging'];
    for (const [buckets, refused] of [
      [staging, [403, 'AccessDenied']],
      [
        ['minio', 'admin', 'swift', 'rustfs'],
        [400, 'InvalidBucketName'],
      ],
    ] as const) {
      for (const bucket of buckets) {
        for (const path of [`/${bucket}`, `/${bucket}/v3/info`]) {
          for (const method of ['GET', 'PUT', 'DELETE']) expect(await told({ method, path })).toEqual(refused);
        }
        const copy = new CopyObjectCommand({ Bucket: PLAIN, Key: 'copy', CopySource: `${bucket}/k` });
        expect(await refusal(client.send(copy))).toEqual(refused);
      }
    }
    const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
    expect(Buckets.map(({ Name }) => Name)).toEqual(expect.not.arrayContaining(['sealgate-staging', OTHERS]));
  });

  it('a key with a slash before it is the same object where the store has it so, and another elsewhere', async () => {
    await client.send(new PutObjectCommand({ Bucket: SEALED, Key: 'slash', Body: canary }));
    if (ofPaths()) {
      expect(await read(client, { Bucket: SEALED, Key: '/slash' })).toEqual(canary);
      return;
    }
    expect(await refusal(read(client, { Bucket: SEALED, Key: '/slash' }))).toEqual([404, 'NoSuchKey']);
    await client.send(new PutObjectCommand({ Bucket: SEALED, Key: '/slash', Body: Buffer.from('another') }));
    expect(await read(client, { Bucket: SEALED, Key: 'slash' })).toEqual(canary);
  });

  it(`nothing of anybody else’s is touched by ${REQUESTS} forged requests`, {
    timeout: 60_000 + REQUESTS * 500,
  }, async () => {
    const dice = new Dice(SEED);
    const file = canaryFile.split('/').at(-1) as string;
    const targets = [
      ...VICTIMS.map((key) => `${OTHERS}/${key}`),
      OTHERS,
      `${PLAIN}/innocent`,
      `${SEALED}/innocent`,
      file,
      '.minio.sys/config',
      'minio/admin/v3/info',
    ];
    const aim = { buckets: [SEALED, PLAIN], targets };
    const answers = new Map<string, Map<number, number>>();
    let left = REQUESTS;
    const attacker = async () => {
      while (left-- > 0) {
        const { place, asked } = await forged(dice, aim, signing());
        const what = `${asked.method} ${asked.target} ${JSON.stringify(asked.headers)} ${asked.body.toString('latin1')}`;
        const answer = await rawExchange(wire(), asked).catch((error: unknown) => {
          throw new Error(`no answer (seed ${SEED}): ${what}`, { cause: error });
        });
        if (answer.status >= 500 && answer.status !== 501)
          throw new Error(`${answer.status} (seed ${SEED}): ${what}\n${answer.body}`);
        const statuses = answers.get(place) ?? new Map<number, number>();
        answers.set(place, statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, attacker));
    const lines = [...answers].map(
      ([place, statuses]) => `${place}: ${[...statuses].map(([status, count]) => `${count} × ${status}`).join(', ')}`,
    );
    console.log(`${REQUESTS} forged requests over ${name}, seed ${SEED}\n  ${lines.toSorted().join('\n  ')}`);
    await expectUntouched();
  });
});
