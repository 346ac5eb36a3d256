import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, PutObjectTaggingCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDevstore } from '../../src/devstore/devstore.ts';
import { BUCKET, pattern, raw, type Started, sdkClient, startDevstore } from './started.ts';

const MIB = 1024 * 1024;

/** Sends the head and half of the announced body, and resolves when the store has taken bytes of it. */
async function halfPut(url: string, path: string, taken: () => Promise<boolean>): Promise<ClientRequest> {
  const upload = request(new URL(url), { method: 'PUT', path, headers: { 'content-length': 2 * MIB }, agent: false });
  upload.on('error', () => undefined); // it is torn down, by us or by the crash
  upload.write(pattern(MIB));
  while (!(await taken())) await new Promise((resolve) => setImmediate(resolve));
  return upload;
}

describe('in one process', () => {
  let started: Started;
  /** Requests that are over, failures too. */
  let over: (() => void)[];
  beforeEach(async () => {
    over = [];
    started = await startDevstore({
      log: ({ error }) => {
        expect(error).toBeUndefined(); // a client that leaves is no error of the store
        over.shift()?.();
      },
    });
  });
  afterEach(() => started.stop());
  const put = (Key: string, Body: Buffer) => started.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));

  test('an aborted PUT leaves what was there, and no file', async () => {
    await put('k', pattern(10));
    const upload = await halfPut(started.url, `/${BUCKET}/k`, async () => (await started.dataFiles()).length === 2);
    const ended = new Promise<void>((resolve) => over.push(resolve));
    upload.destroy();
    await ended;
    expect((await started.devstore.stored.read(BUCKET, 'k')).bytes.equals(pattern(10))).toBe(true);
    expect(await started.dataFiles()).toHaveLength(1);
  });

  test('an aborted PUT of a new key makes none', async () => {
    const upload = await halfPut(started.url, `/${BUCKET}/new`, async () => (await started.dataFiles()).length === 1);
    const ended = new Promise<void>((resolve) => over.push(resolve));
    upload.destroy();
    await ended;
    expect(await started.devstore.stored.keys(BUCKET)).toEqual([]);
    expect(await started.dataFiles()).toEqual([]);
  });

  test('a PUT is not seen before its last byte, and an open download keeps its bytes', async () => {
    await put('k', pattern(8 * MIB, 1));
    const { Body } = await started.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'k' }));
    const upload = await halfPut(started.url, `/${BUCKET}/k`, async () => (await started.dataFiles()).length === 2);
    const head = await raw(started.url, 'HEAD', `/${BUCKET}/k`);
    expect(head.headers['content-length']).toBe(String(8 * MIB));
    const answered = once(upload, 'response');
    upload.end(pattern(MIB));
    const [response] = await answered;
    response.resume();
    expect((await started.devstore.stored.read(BUCKET, 'k')).bytes.length).toBe(2 * MIB);
    const downloaded = (await Body?.transformToByteArray()) as Uint8Array;
    expect(pattern(8 * MIB, 1).equals(downloaded)).toBe(true);
  });

  test('an overwritten or deleted object leaves no file', async () => {
    await put('k', pattern(10, 1));
    await put('k', pattern(10, 2));
    expect(await started.dataFiles()).toHaveLength(1);
    await started.devstore.stored.delete(BUCKET, 'k');
    expect(await started.dataFiles()).toEqual([]);
  });

  test('many writers of one key leave one of them, whole', async () => {
    const bodies = Array.from({ length: 16 }, (_, seed) => pattern(100_000 + seed, seed));
    await Promise.all(bodies.map((body) => put('k', body)));
    const { bytes, record } = await started.devstore.stored.read(BUCKET, 'k');
    expect(bodies.some((body) => body.equals(bytes))).toBe(true);
    expect(record.bytes).toBe(bytes.length);
    expect(await started.dataFiles()).toHaveLength(1);
  });

  test('the next start finds all of it, and clears away what a crash left', async () => {
    const keys = ['a', 'a/b', 'A', '..', '//', '\u0001', '\u{10000}', 'k'.repeat(1024)];
    for (const [seed, key] of keys.entries()) await put(key, pattern(1000, seed));
    const tags = { TagSet: [{ Key: 't', Value: 'v' }] };
    await started.client.send(new PutObjectTaggingCommand({ Bucket: BUCKET, Key: 'a', Tagging: tags }));
    const before = await Promise.all(keys.map((key) => started.devstore.stored.read(BUCKET, key)));
    const objects = join(started.directory, 'buckets', BUCKET, 'objects');
    await writeFile(join(started.directory, 'data', 'left.data'), 'half an object');
    await writeFile(join(objects, 'left.json.1.tmp'), '{"format":1,"ke');
    await mkdir(join(started.directory, 'buckets', BUCKET, 'uploads', 'left'));
    await mkdir(join(started.directory, 'buckets', 'unborn', 'objects'), { recursive: true });
    started = await started.restart();
    expect(await Promise.all(keys.map((key) => started.devstore.stored.read(BUCKET, key)))).toEqual(before);
    expect(await started.devstore.stored.keys(BUCKET)).toHaveLength(keys.length);
    expect(await started.dataFiles()).toHaveLength(keys.length);
    expect(await readdir(objects)).toHaveLength(keys.length);
    expect((await raw(started.url, 'HEAD', '/unborn')).status).toBe(404);
  });

  test('a folder of another version is refused, by name', async () => {
    await put('k', pattern(1));
    const objects = join(started.directory, 'buckets', BUCKET, 'objects');
    const [sidecar] = await readdir(objects);
    await writeFile(join(objects, sidecar as string), '{"format":2}');
    const next = createDevstore({ directory: started.directory, authorize: () => ({ accessKeyId: '' }) });
    await expect(next.listen({ host: '127.0.0.1', port: 0 })).rejects.toThrow('format 2, not 1');
  });
});

test('kill -9 in the middle of a PUT: what was acknowledged is there, the half is not', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sealgate-devstore-'));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'crash-process.ts'), directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await once(child.stdout, 'data');
    const url = String(line).trim();
    const client = sdkClient(url);
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    for (let i = 0; i < 20; i++) {
      await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: `k${i}`, Body: pattern(5000, i) }));
    }
    const files = () => readdir(join(directory, 'data'));
    const upload = await halfPut(url, `/${BUCKET}/k0`, async () => (await files()).length === 21);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    upload.destroy();
    client.destroy();
    const next = await startDevstore({ directory });
    try {
      for (let i = 0; i < 20; i++) {
        const { bytes } = await next.devstore.stored.read(BUCKET, `k${i}`);
        expect(bytes.equals(pattern(5000, i))).toBe(true);
      }
      expect(await files()).toHaveLength(20);
    } finally {
      await next.stop();
    }
  } finally {
    child.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  }
});
