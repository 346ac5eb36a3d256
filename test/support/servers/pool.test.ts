import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { borrow, POOL_VARIABLE } from './borrow.ts';
import { openPool, type PooledServer, type ServerPool } from './pool.ts';

/** A server that counts, in place of Redis. */
class Counted implements PooledServer {
  static all: Counted[] = [];
  readonly offer = { number: Counted.all.push(this) };
  wiped = 0;
  isStopped = false;
  canBeWiped = true;

  async wipe(): Promise<void> {
    this.wiped++;
    if (!this.canBeWiped) throw new Error('stuck');
  }

  async stop(): Promise<void> {
    this.isStopped = true;
  }
}

let pool: ServerPool;

beforeEach(async () => {
  Counted.all = [];
  pool = await openPool({
    redis: async () => new Counted(),
    minio: () => Promise.reject(new Error('no MinIO here')),
    versitygw: async () => new Counted(),
  });
  vi.stubEnv(POOL_VARIABLE, pool.path);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await pool.close();
});

const redis = () => borrow<{ number: number }>('redis');
const wiped = () => Counted.all.map((server) => server.wiped);

test('a server is started when it is asked for, lent to one at a time, emptied, and lent again', async () => {
  expect(Counted.all).toEqual([]);
  const [one, two] = [await redis(), await redis()];
  expect([one.offer.number, two.offer.number]).toEqual([1, 2]);
  await one.giveBack();
  await one.giveBack();
  expect((await redis()).offer.number).toBe(1);
  expect(wiped()).toEqual([1, 0]);
});

test('what could not be emptied is ended, and another one is started', async () => {
  const one = await redis();
  (Counted.all[0] as Counted).canBeWiped = false;
  await one.giveBack();
  expect((await redis()).offer.number).toBe(2);
  expect(Counted.all[0]?.isStopped).toBe(true);
});

test('a process that is killed gives back what it had', async () => {
  const program = `
    import { borrow } from ${JSON.stringify(new URL('./borrow.ts', import.meta.url).href)};
    await borrow('redis');
    console.log('has it');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { env: { ...process.env } });
  await once(child.stdout, 'data');
  expect(Counted.all).toHaveLength(1);
  child.kill('SIGKILL');
  await expect.poll(wiped).toEqual([1]);
  expect((await redis()).offer.number).toBe(1);
});

test('whoever asks for what cannot be started is told why', async () => {
  await expect(borrow('minio')).rejects.toThrow('no MinIO here');
});

test('every server ends with the pool, lent or not', async () => {
  const lent = await borrow('versitygw');
  await (await redis()).giveBack();
  await pool.close();
  expect(Counted.all.map((server) => server.isStopped)).toEqual([true, true]);
  await lent.giveBack();
  await expect(redis()).rejects.toThrow();
});
