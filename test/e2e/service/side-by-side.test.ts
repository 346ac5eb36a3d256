import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PreviousRelease, previousRelease } from '../../releases/previous-release.ts';
import { payload } from '../../support/payload.ts';
import { type GatewayProcess, startGateway } from '../../support/servers/gateway.ts';
import { type Minio, startMinio } from '../../support/servers/minio.ts';
import { type RedisServer, startRedis } from '../../support/servers/redis.ts';
import { clientSettings } from '../../support/servers/stand.ts';
import { backendSettings } from '../../support/servers/store.ts';

/**
 * An update of several gateways: this commit and the previous release run over one store and one key store, first the
 * one, then both, then the other, and back. Nothing becomes unreadable to either, and nothing is lost.
 */

const BUCKET = 'acme-update';
const MIB = 1024 * 1024;
const WRITERS = 4;
const WRITES = 8;

let release: PreviousRelease;
let minio: Minio;
let redis: RedisServer;
let before: GatewayProcess;
let now: GatewayProcess;
const clients: S3Client[] = [];
/** What was acknowledged, by key. */
const written = new Map<string, Buffer>();
let seed = 1;

beforeAll(async () => {
  [release, minio, redis] = await Promise.all([previousRelease(), startMinio(), startRedis()]);
  const settings = { backend: backendSettings(minio), keyStore: { redis: redis.url }, buckets: ['acme-*:etag=md5'] };
  before = await startGateway({ ...settings, launch: release.launch });
  now = await startGateway({ ...settings, tenantExists: true });
  await clientOf(before).send(new CreateBucketCommand({ Bucket: BUCKET }));
});

afterAll(async () => {
  for (const client of clients) client.destroy();
  await Promise.all([before?.stop(), now?.stop()]);
  await Promise.all([minio?.stop(), redis?.stop(), release?.remove()]);
});

function clientOf({ endpoint }: GatewayProcess): S3Client {
  const known = clients.find((client) => (client as S3Client & { at?: string }).at === endpoint);
  if (known !== undefined) return known;
  const client = Object.assign(new S3Client({ ...clientSettings({ endpoint } as GatewayProcess) }), { at: endpoint });
  clients.push(client);
  return client;
}

async function put(gateway: GatewayProcess, key: string, bytes: number): Promise<void> {
  const Body = payload(bytes, seed++);
  await clientOf(gateway).send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body, Metadata: { key } }));
  written.set(key, Body);
}

async function read(gateway: GatewayProcess, key: string): Promise<void> {
  const { Body, Metadata, ETag } = await clientOf(gateway).send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
  const bytes = Buffer.from((await Body?.transformToByteArray()) as Uint8Array);
  expect([key, bytes.equals(written.get(key) as Buffer), ETag !== undefined]).toEqual([key, true, true]);
  if (!key.endsWith('parts')) expect(Metadata?.key).toBe(key.replace(/ copied$/, ''));
}

/** Each step of the upload goes to the next gateway. */
async function multipart(key: string, ...gateways: readonly GatewayProcess[]): Promise<void> {
  let step = 0;
  const client = () => clientOf(gateways[step++ % gateways.length] as GatewayProcess);
  const created = await client().send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: key }));
  const named = { Bucket: BUCKET, Key: key, UploadId: created.UploadId as string };
  const pieces = [payload(5 * MIB, seed++), payload(1000, seed++)];
  const Parts = [];
  for (const [at, Body] of pieces.entries()) {
    const { ETag } = await client().send(new UploadPartCommand({ ...named, PartNumber: at + 1, Body }));
    Parts.push({ PartNumber: at + 1, ETag });
  }
  await client().send(new CompleteMultipartUploadCommand({ ...named, MultipartUpload: { Parts } }));
  written.set(key, Buffer.concat(pieces));
}

/** Writes, overwrites, copies and reads, several clients at once: what one gateway wrote the other reads at once. */
async function load(phase: string, writer: GatewayProcess, reader: GatewayProcess): Promise<void> {
  const worker = async (name: number) => {
    for (let at = 0; at < WRITES; at++) {
      const key = `${phase}/${name}-${at % 5}`;
      await put(writer, key, [0, 100, 5000, 70_000, 200_000][at % 5] as number);
      await read(reader, key);
      if (at !== 3) continue;
      const CopySource = `${BUCKET}/${key}`;
      await clientOf(reader).send(new CopyObjectCommand({ Bucket: BUCKET, Key: `${key} copied`, CopySource }));
      written.set(`${key} copied`, written.get(key) as Buffer);
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, (_, name) => worker(name)));
}

/** Both list the same, all of it and nothing else, and both read every object. */
async function allIsThere(...gateways: readonly GatewayProcess[]): Promise<void> {
  for (const gateway of gateways) {
    const { Contents = [] } = await clientOf(gateway).send(new ListObjectsV2Command({ Bucket: BUCKET }));
    const expected = [...written].map(([key, bytes]) => [key, bytes.length] as const);
    expect(new Map(Contents.map(({ Key, Size }) => [Key, Size]))).toEqual(new Map(expected));
    for (const key of written.keys()) await read(gateway, key);
  }
}

test('the previous release writes, and this commit reads', async () => {
  await load('before', before, now);
  await multipart('before parts', before);
  await allIsThere(now);
});

test('both write at once, uploads change gateways from step to step', async () => {
  await Promise.all([
    load('both-1', before, now),
    load('both-2', now, before),
    multipart('both-1 parts', before, now),
    multipart('both-2 parts', now, before),
  ]);
  await allIsThere(before, now);
});

test('this commit alone, and back to the previous release', async () => {
  await before.terminate();
  await load('now', now, now);
  const client = clientOf(now);
  const created = await client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'back parts' }));
  const named = { Bucket: BUCKET, Key: 'back parts', UploadId: created.UploadId as string };
  const Body = payload(2000, seed++);
  const { ETag } = await client.send(new UploadPartCommand({ ...named, PartNumber: 1, Body }));
  await now.terminate();
  await before.start();
  const Parts = [{ PartNumber: 1, ETag }];
  await clientOf(before).send(new CompleteMultipartUploadCommand({ ...named, MultipartUpload: { Parts } }));
  written.set('back parts', Body);
  await allIsThere(before);
  await now.start();
  await allIsThere(now);
});
