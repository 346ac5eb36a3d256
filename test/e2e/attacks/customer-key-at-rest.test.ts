import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { filesHolding } from '../../support/at-rest.ts';
import { type GatewayProcess, startGateway } from '../../support/servers/gateway.ts';
import { type Minio, startMinio } from '../../support/servers/minio.ts';
import { type RedisServer, startRedis } from '../../support/servers/redis.ts';
import { backendSettings } from '../../support/servers/store.ts';
import { onceClient, read } from '../../support/sight.ts';

/** What a thief of all of Redis and of the store's disk finds of an upload under a customer's key (SSE-C). */

const BUCKET = 'acme-open-uploads';
const PLAINTEXT = 'a line of the customer that nobody else may read\n';
const LARGE = Buffer.alloc(5 * 1024 * 1024, PLAINTEXT);
const SMALL = Buffer.alloc(2000, PLAINTEXT);
const KEY = createHash('sha256').update('the key of an upload').digest();
const MD5 = createHash('md5').update(KEY).digest();
const SSE = {
  SSECustomerAlgorithm: 'AES256',
  SSECustomerKey: KEY.toString('base64'),
  SSECustomerKeyMD5: MD5.toString('base64'),
};

let minio: Minio;
let redis: RedisServer;
let records: Redis;
let gateway: GatewayProcess;
let client: S3Client;

beforeAll(async () => {
  [minio, redis] = await Promise.all([startMinio(), startRedis()]);
  records = redis.client();
  gateway = await startGateway({
    backend: backendSettings(minio),
    keyStore: { redis: redis.url },
    more: { customerKeys: { overHttp: 'loopback' } },
  });
  client = onceClient(gateway);
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
});

afterAll(async () => {
  client?.destroy();
  records?.disconnect();
  await gateway?.stop();
  await Promise.all([minio?.stop(), redis?.stop()]);
});

/** Every key of Redis with its value, as Redis itself would write it to its disk, and uncompressed where it is a list. */
async function dumped(): Promise<Map<string, Buffer>> {
  const dump = new Map<string, Buffer>();
  for (const key of await records.keys('*')) {
    const value = [Buffer.from(key), (await records.dumpBuffer(key)) as Buffer];
    if ((await records.type(key)) === 'list') value.push(...(await records.lrangeBuffer(key, 0, -1)));
    dump.set(key, Buffer.concat(value));
  }
  return dump;
}

async function begun(Key: string) {
  const object = { Bucket: BUCKET, Key };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...object, ...SSE }));
  const upload = { ...object, UploadId };
  const Parts = [];
  for (const [PartNumber, Body] of [
    [1, LARGE],
    [2, SMALL],
  ] as const) {
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber, Body, ...SSE }));
    Parts.push({ PartNumber, ETag });
  }
  return { upload, Parts };
}

/** Nothing that is the key, tells it, or can be tried against a guess at it, and nothing of what was written. */
async function expectNothingFound(): Promise<void> {
  const dump = Buffer.concat([...(await dumped()).values()]);
  expect(dump.length).toBeGreaterThan(1000);
  for (const secret of [KEY, MD5]) {
    expect(dump.includes(secret)).toBe(false);
    for (const encoding of ['base64', 'base64url', 'hex', 'latin1'] as const) {
      const text = secret.toString(encoding).replace(/=+$/, '');
      expect(dump.includes(text)).toBe(false);
      if (encoding !== 'latin1') expect(await filesHolding(minio.directory, text)).toEqual([]);
    }
  }
  expect(dump.includes(PLAINTEXT)).toBe(false);
  expect(await filesHolding(minio.directory, PLAINTEXT)).toEqual([]);
}

/** The names of the records whose value is about the upload. */
const logsIn = (dump: ReadonlyMap<string, Buffer>) => [...dump.keys()].filter((name) => /upload\/(?!by\/)/.test(name));

it('an open upload shows neither key nor plaintext, and a completed one leaves no key of the object’s behind', async () => {
  const before = logsIn(await dumped());
  const { upload, Parts } = await begun('completed');
  await client.send(new ListPartsCommand(upload));
  await expectNothingFound();
  const open = await dumped();
  const logs = logsIn(open).filter((name) => !before.includes(name));
  expect(logs).toHaveLength(1);
  const header = (await records.lindexBuffer(logs[0] as string, 0)) as Buffer;
  await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  await expectNothingFound();
  const after = Buffer.concat([...(await dumped()).values()]);
  // The wrapped data key is somewhere in the header's 397 bytes (docs/keys.md, "Customer keys"): no stretch is left.
  for (let at = 0; at + 24 <= header.length; at += 8) {
    expect([at, after.includes(header.subarray(at, at + 24)) && at > 64]).toEqual([at, false]);
  }
  const got = await read(client, { Bucket: BUCKET, Key: 'completed', ...SSE });
  expect(got.equals(Buffer.concat([LARGE, SMALL]))).toBe(true);
});

it('an aborted upload leaves no log', async () => {
  const before = logsIn(await dumped());
  const { upload } = await begun('aborted');
  expect(logsIn(await dumped())).toHaveLength(before.length + 1);
  await client.send(new AbortMultipartUploadCommand(upload));
  expect(logsIn(await dumped())).toEqual(before);
  await expectNothingFound();
});
