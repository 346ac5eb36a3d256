import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DevstoreEvent } from '../../src/devstore/devstore.ts';
import { BUCKET, codeOf, pattern, raw, type Started, startDevstore } from './started.ts';

const MIB = 1024 * 1024;
const PATH = `/${BUCKET}/k`;

let started: Started;
let events: DevstoreEvent[];
beforeEach(async () => {
  events = [];
  started = await startDevstore({ log: (event) => events.push(event) });
  await put(pattern(MIB));
});
afterEach(async () => {
  await started.stop();
  expect(events.filter(({ error }) => error !== undefined)).toEqual([]); // a planned fault is no error of the store's
});

const put = (Body: Buffer) => started.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'k', Body }));
const get = async () => {
  const { Body } = await started.client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'k' }));
  return Buffer.from((await Body?.transformToByteArray()) as Uint8Array);
};
const stored = async () => (await started.devstore.stored.read(BUCKET, 'k')).bytes;

/** GETs and says what came before the end, and how it ended. */
function download(agent: Agent | false = false): Promise<{ bytes: number; ended: string; socket: Socket | undefined }> {
  return new Promise((resolve) => {
    let bytes = 0;
    let socket: Socket | undefined;
    const finish = (ended: string) => resolve({ bytes, ended, socket });
    const asked = request(new URL(started.url), { path: PATH, agent }, (answer) => {
      socket = answer.socket;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      answer.on('end', () => finish('end'));
      answer.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? 'error'));
    });
    asked.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? 'error'));
    asked.end();
  });
}

describe('a planned refusal', () => {
  test('meets the next requests that fit, as many as planned', async () => {
    const { faults } = started.devstore;
    faults.plan({ method: 'GET', times: 2 }, { kind: 'refuse', status: 503, code: 'SlowDown' });
    faults.plan(
      { where: ({ target }) => target.rawPath.endsWith('/other') },
      { kind: 'refuse', status: 500, code: 'InternalError' },
    );
    await started.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'k' }));
    expect(await codeOf(get())).toBe('503 SlowDown');
    expect(await codeOf(get())).toBe('503 SlowDown');
    expect(await codeOf(get())).toBe('none');
    expect(faults.left).toBe(1);
    expect((await raw(started.url, 'GET', `/${BUCKET}/other`)).status).toBe(500);
    expect(faults.left).toBe(0);
  });

  test('leaves the object and the connection alone, whatever of the body was under way', async () => {
    started.devstore.faults.plan({ method: 'PUT' }, { kind: 'refuse', status: 503, code: 'SlowDown' });
    expect(await codeOf(put(pattern(8 * MIB, 2)))).toBe('503 SlowDown');
    expect((await stored()).equals(pattern(MIB))).toBe(true);
    await put(pattern(10, 3));
  });

  test('can be forgotten', async () => {
    started.devstore.faults.plan({}, { kind: 'refuse', status: 503, code: 'SlowDown' });
    started.devstore.faults.clear();
    expect(await codeOf(get())).toBe('none');
  });
});

describe('a lost connection', () => {
  test('before anything was done', async () => {
    started.devstore.faults.plan({ method: 'PUT' }, { kind: 'drop', what: 'request' });
    expect(await codeOf(put(pattern(10)))).toContain('ECONNRESET');
    expect((await stored()).length).toBe(MIB);
  });

  test('after all was done', async () => {
    started.devstore.faults.plan({ method: 'PUT' }, { kind: 'drop', what: 'answer' });
    expect(await codeOf(put(pattern(10)))).toContain('ECONNRESET');
    expect((await stored()).length).toBe(10);
  });

  test.each([0, 1, 70_000])('after %d bytes of the request', async (afterBytes) => {
    started.devstore.faults.plan({ method: 'PUT' }, { kind: 'cut request', afterBytes });
    expect(await codeOf(put(pattern(8 * MIB, 2)))).toMatch(/ECONNRESET|EPIPE/);
    expect((await stored()).equals(pattern(MIB))).toBe(true);
    expect(await started.dataFiles()).toHaveLength(1);
  });

  test.each([
    [0, 'reset'],
    [1, 'reset'],
    [300_000, 'reset'],
    [0, 'close'],
    [300_000, 'close'],
  ] as const)('after %d bytes of the answer, by %s', async (afterBytes, by) => {
    started.devstore.faults.plan({ method: 'GET' }, { kind: 'cut answer', afterBytes, by });
    const { bytes, ended } = await download();
    expect(ended).toBe('ECONNRESET'); // what node calls both, when the length was not reached
    expect(bytes).toBeLessThanOrEqual(afterBytes);
    if (by === 'close') expect(bytes).toBe(afterBytes); // a reset may overtake bytes in flight
  });
});

describe('a connection that hangs up', () => {
  test.each([true, false])('announced: %s', async (announced) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const { socket } = await download(agent);
      expect((await download(agent)).socket).toBe(socket);
      started.devstore.faults.plan({}, { kind: 'hang up', announced });
      const closed = new Promise((resolve) => socket?.once('close', resolve));
      const last = await download(agent);
      expect([last.ended, last.bytes, last.socket === socket]).toEqual(['end', MIB, true]);
      await closed;
      const next = await download(agent);
      expect([next.ended, next.bytes, next.socket === socket]).toEqual(['end', MIB, false]);
    } finally {
      agent.destroy();
    }
  });
});

describe('a hold', () => {
  test('lasts until it is released', async () => {
    const hold = started.devstore.faults.hold({ method: 'GET' });
    let done = false;
    const held = get().then((bytes) => {
      done = true;
      return bytes;
    });
    await hold.reached;
    await put(pattern(10)); // others go by
    expect(done).toBe(false);
    hold.release();
    expect((await held).length).toBe(10);
  });

  test('does not outlast the client', async () => {
    const hold = started.devstore.faults.hold({ method: 'GET' });
    const abort = new AbortController();
    const command = new GetObjectCommand({ Bucket: BUCKET, Key: 'k' });
    const held = started.client.send(command, { abortSignal: abort.signal });
    await hold.reached;
    abort.abort();
    expect(await codeOf(held)).toContain('AbortError');
    // afterEach's close() waits for the exchange: it would never settle if the hold still stood.
  });
});

describe('the stored bytes', () => {
  const bytes = pattern(MIB);

  test.each([0, 12_345, -1])('with a bit flipped at %d, and all else as it was', async (offset) => {
    const before = (await started.devstore.stored.read(BUCKET, 'k')).record;
    await started.devstore.stored.flip(BUCKET, 'k', offset);
    const at = offset < 0 ? MIB + offset : offset;
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] as number) ^ 1;
    expect((await get()).equals(damaged)).toBe(true);
    const { pieces: _, ...after } = (await started.devstore.stored.read(BUCKET, 'k')).record;
    expect(before).toMatchObject(after);
    await started.devstore.stored.flip(BUCKET, 'k', offset);
    expect((await get()).equals(bytes)).toBe(true);
    await expect(started.devstore.stored.flip(BUCKET, 'k', MIB)).rejects.toThrow(RangeError);
  });

  test.each([0, 1, MIB - 1])('cut to %d', async (left) => {
    await started.devstore.stored.truncate(BUCKET, 'k', left);
    expect((await get()).equals(bytes.subarray(0, left))).toBe(true);
    expect((await raw(started.url, 'HEAD', PATH)).headers['content-length']).toBe(String(left));
  });

  test('swapped with or without what describes them', async () => {
    const { stored } = started.devstore;
    await stored.overwrite(BUCKET, 'l', pattern(10, 2), { metadata: [['of', 'l']] });
    await stored.swap(BUCKET, ['k', 'l'], 'bytes');
    expect((await stored.read(BUCKET, 'k')).record).toMatchObject({ key: 'k', bytes: 10, metadata: [] });
    expect((await stored.read(BUCKET, 'l')).bytes.equals(bytes)).toBe(true);
    await stored.swap(BUCKET, ['k', 'l'], 'everything');
    expect((await stored.read(BUCKET, 'k')).record).toMatchObject({ key: 'k', bytes: MIB, metadata: [['of', 'l']] });
    expect((await stored.read(BUCKET, 'l')).bytes.equals(pattern(10, 2))).toBe(true);
  });

  test('overwritten, planted and deleted', async () => {
    const { stored } = started.devstore;
    await stored.overwrite(BUCKET, 'k', pattern(5, 9));
    expect((await get()).equals(pattern(5, 9))).toBe(true);
    await stored.delete(BUCKET, 'k');
    expect(await codeOf(get())).toBe('404 NoSuchKey');
    await expect(stored.read(BUCKET, 'k')).rejects.toMatchObject({ code: 'NoSuchKey' });
  });
});
