import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../keys/eventually.ts';
import { RawClient } from '../../server/raw-client.ts';
import { payload } from '../../support/payload.ts';
import { type GatewayProcess, peakMemoryMib, startGateway } from '../../support/servers/gateway.ts';
import { type Minio, startMinio } from '../../support/servers/minio.ts';
import { type RedisServer, startRedis } from '../../support/servers/redis.ts';
import { backendSettings } from '../../support/servers/store.ts';
import { expectAbsent, expectServed, onceClient, read, refusal } from '../../support/sight.ts';

/**
 * What the gateway stands on goes away in the middle of things, and comes back; and the gateway itself goes away. No
 * partial object may show, no transfer may end as if it were whole, and nobody restarts the gateway for it.
 */

const MIB = 1024 * 1024;
const BUCKET = 'acme-outage';
const UNAVAILABLE = [503, 'ServiceUnavailable'] as const;
/** Long enough to see the state between, short enough to wait for. */
const CACHE = { maxAgeSeconds: 2, staleSeconds: 5 };
const PATIENCE = { timeout: 20_000, interval: 50 };

const large = payload(64 * MIB, 61);
const small = Buffer.from('stored before any outage');

let minio: Minio;
let redis: RedisServer;
let gateway: GatewayProcess;
let client: S3Client;

beforeAll(async () => {
  [minio, redis] = await Promise.all([startMinio(), startRedis({ persistent: true })]);
  gateway = await startGateway({
    backend: { ...backendSettings(minio), keepAliveSeconds: 1 },
    more: { keys: { root: { file: 'root.key' }, store: { redis: redis.url, commandSeconds: 1 }, cache: CACHE } },
  });
  client = onceClient(gateway);
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await put('small', small);
  await put('large', large);
});

afterAll(async () => {
  client?.destroy();
  await gateway?.stop();
  await Promise.all([minio?.stop(), redis?.stop()]);
});

const put = (Key: string, Body: Buffer) => client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
const get = (Key: string) => read(client, { Bucket: BUCKET, Key });

/** 'fine', or the code that came instead. */
const fate = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    (error: { name: string }) => error.name,
  );

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${gateway.admin}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}

const readiness = () => fetch(`${gateway.admin}/readyz`).then(async (answer) => [answer.status, await answer.text()]);

/** Sockets from anyone here to MinIO, from Linux: the gateway's own count may be wrong. */
function connectionsToStore(): number {
  const port = minio.port.toString(16).toUpperCase().padStart(4, '0');
  const lines = readFileSync('/proc/net/tcp', 'utf8').split('\n');
  return lines.filter((line) => new RegExp(`^\\s*\\d+: \\S+ 0100007F:${port} 01 `).test(line)).length;
}

/** Nothing is held for requests that are over: no budget, no client, and no connection to the store that is busy. */
async function expectNothingHeld(): Promise<void> {
  await expect.poll(() => metric('sealgate_requests_in_flight'), PATIENCE).toBe(0);
  await expect.poll(() => metric('sealgate_in_flight_bytes'), PATIENCE).toBe(0);
  await expect.poll(connectionsToStore, PATIENCE).toBe(0);
}

/** An upload over a raw connection, of which the client sends as much as it likes. */
async function beginUpload(Key: string, bytes: number, of = gateway) {
  const url = new URL(await getSignedUrl(client, new PutObjectCommand({ Bucket: BUCKET, Key })));
  const raw = await RawClient.open(of.port);
  raw.send(`PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: ${bytes}\r\n\r\n`);
  return raw;
}

/** Resolves when the kernel has taken all of it, so that most of it is beyond the gateway. */
const sent = (raw: RawClient, bytes: Buffer) =>
  new Promise<void>((resolve) => raw.socket.write(bytes, () => resolve()));

/** A download over a raw connection that stops reading after the head and a few bytes. */
async function beginDownload(Key: string, of = gateway) {
  const url = new URL(await getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key })));
  const raw = await RawClient.open(of.port);
  raw.send(`GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`);
  await raw.until('\r\n\r\n');
  raw.socket.pause();
  return raw;
}

async function bodyOf(raw: RawClient): Promise<{ readonly status: number; readonly body: Buffer }> {
  raw.socket.resume();
  const { text, status } = await raw.closed();
  return { status, body: Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1') };
}

describe('MinIO is killed', () => {
  it('within an upload: 503, nothing of it shows, and what was there before stays', async () => {
    for (const key of ['killed/new', 'small']) {
      await using raw = await beginUpload(key, large.length);
      await sent(raw, large.subarray(0, 24 * MIB));
      await minio.kill();
      raw.send(large.subarray(24 * MIB, 25 * MIB));
      await raw.until('</Error>');
      expect(raw.text).toMatch(/^HTTP\/1\.1 503 [\s\S]*<Code>ServiceUnavailable<\/Code>/);
      expect(await refusal(get('small'))).toEqual(UNAVAILABLE);
      await minio.restart();
    }
    await expectAbsent(client, BUCKET, 'killed/new');
    await expectServed(client, BUCKET, 'small', small);
    await put('killed/new', small);
    await expectServed(client, BUCKET, 'killed/new', small);
  });

  it('within a download: the transfer breaks, every byte of it is right, and the next one is whole', async () => {
    await using raw = await beginDownload('large');
    await minio.kill();
    const { status, body } = await bodyOf(raw);
    expect(status).toBe(200);
    expect(body.length).toBeLessThan(large.length);
    expect(body.equals(large.subarray(0, body.length))).toBe(true);
    await minio.restart();
    await expectServed(client, BUCKET, 'large', large);
  });

  it('for a while: every kind of request is 503, and readiness says which dependency it is', async () => {
    await minio.kill();
    expect(await refusal(get('small'))).toEqual(UNAVAILABLE);
    expect((await refusal(client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'small' }))))[0]).toBe(503);
    expect(await refusal(client.send(new ListObjectsV2Command({ Bucket: BUCKET })))).toEqual(UNAVAILABLE);
    expect(await refusal(put('killed/while', small))).toEqual(UNAVAILABLE);
    await expect.poll(readiness, PATIENCE).toEqual([503, expect.stringMatching(/^backend: failed/)]);
    await minio.restart();
    await expect.poll(readiness, PATIENCE).toEqual([200, expect.stringMatching(/^backend: ok/)]);
    await expectAbsent(client, BUCKET, 'killed/while');
    await expectNothingHeld();
  });
});

describe('Redis is killed', () => {
  it('cached tenants go on for a while, then everything is 503, then all is well without a restart', async () => {
    const stranger = onceClient(gateway, { accessKeyId: 'AKIDSTRANGER00000000' });
    await expectServed(client, BUCKET, 'small', small);
    await redis.kill();
    expect(await fate(get('small'))).toBe('fine');
    expect(await fate(put('redis/at-once', small))).toBe('fine');
    // A load balancer that looked elsewhere now would find the same everywhere.
    const serving = [
      200,
      expect.stringMatching(/^key store: ok \(does not answer; what is cached serves for \d s more\)/m),
    ];
    await expect.poll(readiness, PATIENCE).toEqual(serving);
    // Whether this key exists nobody can say now: 403 would make its owner throw it away.
    expect(await refusal(read(stranger, { Bucket: BUCKET, Key: 'small' }))).toEqual(UNAVAILABLE);
    // New objects need a key that can be read back: they end first.
    await expect.poll(() => fate(put('redis/late', small)), PATIENCE).toBe('ServiceUnavailable');
    expect(await fate(get('small'))).toBe('fine');
    await expect.poll(() => fate(get('small')), PATIENCE).toBe('ServiceUnavailable');
    expect(await refusal(put('redis/later', small))).toEqual(UNAVAILABLE);
    await expect.poll(readiness, PATIENCE).toEqual([503, expect.stringMatching(/^key store: failed/m)]);
    await redis.restart();
    await expect.poll(() => fate(get('small')), PATIENCE).toBe('fine');
    await expect.poll(() => fate(put('redis/after', small)), PATIENCE).toBe('fine');
    expect(await refusal(read(stranger, { Bucket: BUCKET, Key: 'small' }))).toEqual([403, 'InvalidAccessKeyId']);
    stranger.destroy();
    for (const key of ['redis/at-once', 'redis/after']) await expectServed(client, BUCKET, key, small);
    await expectAbsent(client, BUCKET, 'redis/later');
  });

  it('within transfers: they end as they began', async () => {
    await using upload = await beginUpload('redis/upload', large.length);
    await sent(upload, large.subarray(0, 8 * MIB));
    await using download = await beginDownload('large');
    await redis.kill();
    await sent(upload, large.subarray(8 * MIB));
    await upload.until('HTTP/1.1 200');
    const { body } = await bodyOf(download);
    expect(body.equals(large)).toBe(true);
    await redis.restart();
    await expect.poll(() => fate(put('redis/again', small)), PATIENCE).toBe('fine');
    await expectServed(client, BUCKET, 'redis/upload', large);
  });

  it('frozen instead of dead: the same, and nobody waits for long', async () => {
    await expectServed(client, BUCKET, 'small', small);
    redis.freeze();
    try {
      await expect.poll(() => fate(get('small')), PATIENCE).toBe('ServiceUnavailable');
      expect(await refusal(put('redis/frozen', small))).toEqual(UNAVAILABLE);
    } finally {
      redis.thaw();
    }
    await expect.poll(() => fate(put('redis/thawed', small)), PATIENCE).toBe('fine');
    await expectAbsent(client, BUCKET, 'redis/frozen');
  });
});

it('Redis is full: no upload begins that could not go on, and objects are read and written', async () => {
  const admin = redis.client();
  try {
    const uploads = async () => (await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? [];
    const before = await uploads();
    await admin.config('SET', 'maxmemory', '1');
    const create = () => client.send(new CreateMultipartUploadCommand({ Bucket: BUCKET, Key: 'full' }));
    expect(await refusal(create())).toEqual(UNAVAILABLE);
    expect(await fate(put('redis/full', small))).toBe('fine');
    expect(await fate(get('small'))).toBe('fine');
    await admin.config('SET', 'maxmemory', '0');
    expect(await uploads()).toEqual(before);
    const { UploadId } = await create();
    await client.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: 'full', UploadId }));
  } finally {
    await admin.config('SET', 'maxmemory', '0');
    admin.disconnect();
  }
});

it('a revoked credential stops working within a second', async () => {
  const added = await gateway.command(['credential', 'add', 'acme', '--json']);
  const made = JSON.parse(added.stdout) as { accessKeyId: string; secretAccessKey: string };
  const revoked = onceClient(gateway, made);
  const look = (wanted: string) => async () => (await fate(read(revoked, { Bucket: BUCKET, Key: 'small' }))) === wanted;
  await eventually(1000, look('fine'));
  expect((await gateway.command(['credential', 'revoke', made.accessKeyId])).code).toBe(0);
  await eventually(1000, look('InvalidAccessKeyId'));
  revoked.destroy();
  expect(await fate(get('small'))).toBe('fine');
});

describe('clients leave', () => {
  it('100 within uploads and 100 within downloads: nothing is held for them, and nothing shows', async () => {
    await expectNothingHeld();
    for (let round = 0; round < 4; round++) {
      const raws = await Promise.all(
        Array.from({ length: 25 }, async (_, at) => {
          const upload = await beginUpload(`left/${round}-${at}`, 4 * MIB);
          upload.send(large.subarray(0, (at % 5) * 700_000));
          return [upload, await beginDownload('large')];
        }),
      );
      for (const [at, raw] of raws.flat().entries()) {
        if (at % 4 < 2) raw.socket.resetAndDestroy();
        else raw.destroy();
      }
    }
    await expectNothingHeld();
    const listed = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'left/' }));
    expect(listed.KeyCount).toBe(0);
    await expectServed(client, BUCKET, 'small', small);
  });

  it('64 stay and read slowly: memory stays bounded', async () => {
    const readers = await Promise.all(Array.from({ length: 64 }, () => beginDownload('large')));
    expect(await metric('sealgate_requests_in_flight')).toBe(64);
    // Each takes a little and stops again, so that every buffer on the way fills anew.
    for (let turn = 0; turn < 4; turn++) {
      for (const { socket } of readers) socket.read(128 * 1024);
      await metric('sealgate_in_flight_bytes');
    }
    // Of everything so far, too: the objects that they read are 4 GiB together.
    expect(peakMemoryMib(gateway.pid())).toBeLessThan(400);
    for (const reader of readers) reader.destroy();
    await expectNothingHeld();
  });
});

describe('the gateway goes', () => {
  it('by SIGTERM, within an upload and a download: it finishes them, takes nothing new, and exits with 0', async () => {
    await using upload = await beginUpload('term/upload', 32 * MIB);
    await sent(upload, large.subarray(0, 8 * MIB));
    await using download = await beginDownload('large');
    const exited = gateway.terminate();
    await expect
      .poll(
        () =>
          fetch(gateway.endpoint).then(
            () => 'answers',
            () => 'gone',
          ),
        PATIENCE,
      )
      .toBe('gone');
    await sent(upload, large.subarray(8 * MIB, 32 * MIB));
    expect((await upload.closed()).statuses).toEqual([200]);
    const { body } = await bodyOf(download);
    expect(body.equals(large)).toBe(true);
    expect(await exited).toBe(0);
    await gateway.start();
    await expectServed(client, BUCKET, 'term/upload', large.subarray(0, 32 * MIB));
  });

  it('by kill -9 within uploads: nothing of them shows', async () => {
    await using known = await beginUpload('kill/known', large.length);
    await sent(known, large.subarray(0, 24 * MIB));
    await using over = await beginUpload('small', large.length);
    await sent(over, large.subarray(0, 24 * MIB));
    await gateway.kill();
    await gateway.start();
    await expectAbsent(client, BUCKET, 'kill/known');
    await expectServed(client, BUCKET, 'small', small);
  });

  it('and does not come back under another root key: it names the record', async () => {
    const file = join(gateway.folder, 'root.key');
    const right = await readFile(file, 'utf8');
    await gateway.terminate();
    for (const [wrong, told] of [
      [randomBytes(32).toString('base64'), /root key does not open this key store[\s\S]*canary/i],
      [Buffer.alloc(32).toString('base64'), /zero/i],
      ['', /empty/i],
    ] as const) {
      await writeFile(file, wrong);
      const { code, stdout, stderr } = await gateway.command(['serve']);
      expect(code).not.toBe(0);
      expect(stdout + stderr).toMatch(told);
      if (wrong !== '') expect(stdout + stderr).not.toContain(wrong);
    }
    await writeFile(file, right);
    await gateway.start();
    await expectServed(client, BUCKET, 'small', small);
  });
});

it('past its part of memoryBytes a request is 503 SlowDown, and served once there is room', async () => {
  const narrow = await startGateway({
    backend: backendSettings(minio),
    more: {
      keys: { root: { file: 'root.key' }, store: { redis: redis.url, keyPrefix: 'narrow:' } },
      limits: { memoryBytes: '16 MiB' },
    },
  });
  const inside = onceClient(narrow);
  try {
    const Bucket = 'acme-narrow';
    await inside.send(new CreateBucketCommand({ Bucket }));
    await inside.send(new PutObjectCommand({ Bucket, Key: 'large', Body: large }));
    const url = new URL(await getSignedUrl(inside, new GetObjectCommand({ Bucket, Key: 'large' })));
    const head = `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`;
    const readers: RawClient[] = [];
    let refused: RawClient | undefined;
    while (refused === undefined && readers.length < 1000) {
      const raw = await RawClient.open(narrow.port);
      await raw.send(head).until('\r\n\r\n');
      raw.socket.pause();
      if (raw.text.startsWith('HTTP/1.1 503')) refused = raw;
      else readers.push(raw);
    }
    expect(readers.length).toBe(16); // 768 KiB each, of the 16 parts in 21 that the presigned URLs of one key may have
    refused?.socket.resume();
    expect((await refused?.closed())?.text).toContain('<Code>SlowDown</Code>');
    const presigned = await getSignedUrl(inside, new PutObjectCommand({ Bucket, Key: 'more' }));
    const more = await fetch(presigned, { method: 'PUT', body: new Uint8Array(MIB) });
    expect([more.status, await more.text()]).toEqual([503, expect.stringContaining('<Code>SlowDown</Code>')]);
    // Whoever signs by themselves is another client of the tenant.
    await inside.send(new PutObjectCommand({ Bucket, Key: 'other', Body: small }));
    await expectServed(inside, Bucket, 'other', small);
    for (const reader of readers) reader.destroy();
    await expect.poll(() => fate(read(inside, { Bucket, Key: 'large' })), PATIENCE).toBe('fine');
    await expectAbsent(inside, Bucket, 'more');
  } finally {
    inside.destroy();
    await narrow.stop();
  }
});
