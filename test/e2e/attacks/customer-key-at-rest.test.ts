import { createHash } from 'node:crypto';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CUSTOMER_RING } from '../../../src/encryption/key-source.ts';
import { ENVELOPE_BYTES, readEnvelopeHead } from '../../../src/envelope/envelope-head.ts';
import { filesHolding } from '../../support/at-rest.ts';
import { type GatewayProcess, startGateway, TENANT } from '../../support/servers/gateway.ts';
import { type Minio, startMinio } from '../../support/servers/minio.ts';
import { type RedisServer, startRedis } from '../../support/servers/redis.ts';
import { backendSettings } from '../../support/servers/store.ts';
import { backendClient, onceClient, read } from '../../support/sight.ts';

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

/** Every key of Redis with its value, as Redis itself would write it to its disk, and as it is before Redis packs it. */
async function dumped(): Promise<Map<string, Buffer>> {
  const dump = new Map<string, Buffer>();
  for (const key of await records.keys('*')) {
    const value = [Buffer.from(key), (await records.dumpBuffer(key)) as Buffer];
    const type = await records.type(key);
    if (type === 'list') value.push(...(await records.lrangeBuffer(key, 0, -1)));
    else if (type === 'string') value.push((await records.getBuffer(key)) as Buffer);
    else if (type === 'zset') value.push(...(await records.zrangeBuffer(key, 0, '-1')));
    else throw new Error(`Nobody looks into what Redis keeps as ${type}.`);
    dump.set(key, Buffer.concat(value));
  }
  return dump;
}

const wholeOf = (dump: ReadonlyMap<string, Buffer>) => Buffer.concat([...dump.values()]);

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
  const dump = wholeOf(await dumped());
  expect(dump.length).toBeGreaterThan(1000);
  for (const secret of [KEY, MD5]) {
    const texts = (['base64', 'base64url', 'hex'] as const).map((encoding) => secret.toString(encoding));
    for (const form of [secret, ...texts.map((text) => text.replace(/=+$/, ''))]) {
      expect(dump.includes(form)).toBe(false);
      expect(await filesHolding(minio.directory, form)).toEqual([]);
      expect(await filesHolding(gateway.folder, form)).toEqual([]);
      if (typeof form === 'string') expect(gateway.output()).not.toContain(form);
    }
  }
  expect(dump.includes(PLAINTEXT)).toBe(false);
  expect(await filesHolding(minio.directory, PLAINTEXT)).toEqual([]);
}

/** The names of the logs of uploads (docs/keys.md, "Uploads under way"). */
const logsIn = (dump: ReadonlyMap<string, Buffer>) =>
  [...dump.keys()].filter((name) => /:upload\/[0-9a-f]{64}$/.test(name));

/** How many envelopes under a key of this ring there are, wherever they begin. */
function envelopesIn(bytes: Buffer, ring: string): number {
  let found = 0;
  for (let at = 0; at + ENVELOPE_BYTES <= bytes.length; at++) {
    if (bytes[at] !== 1 || bytes[at + 1] !== 1) continue;
    try {
      if (readEnvelopeHead(bytes.subarray(at, at + ENVELOPE_BYTES)).keyRingId === ring) found++;
    } catch {
      // It is no envelope.
    }
  }
  return found;
}

/** The tenant's key ring, which stands in clear in envelopes under the tenant's key. */
async function ringOfTenant(): Promise<string> {
  const { stdout } = await gateway.command(['key', 'list', TENANT.name, '--json']);
  return (JSON.parse(stdout) as { keyRing: string }[])[0]?.keyRing as string;
}

/** Where the envelope under the tenant's key begins in a log's header: behind the entry's kind and version, and a 2. */
const TENANT_ENVELOPE_AT = 3;
/** An envelope begins with fields that tell nothing of its keys: versions, the key's name, and the object's id. */
const TELLING_NOTHING_BYTES = 32;

it('an open upload shows neither key nor plaintext, and a completed one leaves no key of the object’s behind', async () => {
  const before = logsIn(await dumped());
  const { upload, Parts } = await begun('completed');
  await client.send(new ListPartsCommand(upload));
  await expectNothingFound();
  const open = await dumped();
  const logs = logsIn(open).filter((name) => !before.includes(name));
  expect(logs).toHaveLength(1);
  const header = (await records.lindexBuffer(logs[0] as string, 0)) as Buffer;
  // Whoever has the root key opens the parts of an open upload by this one envelope, and by no other.
  const ring = await ringOfTenant();
  expect(envelopesIn(header, ring)).toBe(1);
  expect(envelopesIn(header.subarray(TENANT_ENVELOPE_AT, TENANT_ENVELOPE_AT + ENVELOPE_BYTES), ring)).toBe(1);
  expect(envelopesIn(wholeOf(open), CUSTOMER_RING)).toBe(0);
  await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  await expectNothingFound();
  const after = wholeOf(await dumped());
  expect(logsIn(await dumped())).toEqual([...before, ...logs].sort());
  for (const each of [ring, CUSTOMER_RING]) expect(envelopesIn(after, each)).toBe(0);
  for (let at = TENANT_ENVELOPE_AT + TELLING_NOTHING_BYTES; at + 16 <= header.length; at++) {
    expect([at, after.includes(header.subarray(at, at + 16))]).toEqual([at, false]);
  }
  const got = await read(client, { Bucket: BUCKET, Key: 'completed', ...SSE });
  expect(got.equals(Buffer.concat([LARGE, SMALL]))).toBe(true);
});

it('what lies in the store of a completed upload is under the customer’s key alone', async () => {
  const { upload, Parts } = await begun('alone');
  await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
  const store = backendClient(minio);
  const { Metadata = {}, Body } = await store.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'alone' }));
  const stored = Buffer.from((await Body?.transformToByteArray()) ?? []);
  store.destroy();
  const entries = Object.values(Metadata).map((value) => Buffer.from(value, 'base64url'));
  const ring = await ringOfTenant();
  const found = (of: string) => [stored, ...entries].map((bytes) => envelopesIn(bytes, of));
  // One stands in the metadata, and one in the footer.
  expect(found(CUSTOMER_RING).filter((count) => count > 0)).toEqual([1, 1]);
  expect(found(ring).filter((count) => count > 0)).toEqual([]);
  // Not even the deployment's own root key, with all of its key store, opens it.
  const file = join(gateway.folder, 'out');
  const opened = await gateway.command(['open', `s3://${BUCKET}/alone`, '-o', file]);
  expect([opened.code, opened.stderr]).toEqual([1, expect.stringContaining('--customer-key-file')]);
});

it('an aborted upload leaves no log', async () => {
  const before = logsIn(await dumped());
  const { upload } = await begun('aborted');
  expect(logsIn(await dumped())).toHaveLength(before.length + 1);
  await client.send(new AbortMultipartUploadCommand(upload));
  expect(logsIn(await dumped()).sort()).toEqual(before.sort());
  await expectNothingFound();
});
