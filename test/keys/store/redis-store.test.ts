import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openRedisStore } from '../../../src/keys/store/redis-store.ts';
import { type RedisServer, startRedis } from '../../support/servers/redis.ts';
import { eventually, sorted } from '../eventually.ts';
import { openStore } from '../fixture.ts';
import { recordStoreContract } from './record-store-contract.ts';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ persistent: true });
});
afterAll(() => redis.stop());

const randomPrefix = (): string => `test-${randomBytes(6).toString('hex')}:`;

recordStoreContract('Redis store', async () => {
  const keyPrefix = `${randomPrefix()}*[a]?`; // glob characters must not widen a listing
  return { open: () => openStore({ kind: 'redis', url: redis.url, keyPrefix }) };
});

describe('Redis store', () => {
  it('keeps to its key prefix', async () => {
    const [one, two] = ['one:', 'two:'];
    const store = await openStore({ kind: 'redis', url: redis.url, keyPrefix: one });
    const other = await openStore({ kind: 'redis', url: redis.url, keyPrefix: two });
    await store.put('tenant/a', Buffer.from('1'));
    expect(await other.get('tenant/a')).toBeUndefined();
    expect(await sorted(other.list(''))).toEqual([]);
    const client = redis.client();
    expect(await client.keys('one:*')).toEqual(['one:tenant/a']);
    client.disconnect();
  });

  it.each(['', 'x', '12345'])('replaces and deletes what is nobody’s write: %j', async (junk) => {
    const keyPrefix = randomPrefix();
    const store = await openStore({ kind: 'redis', url: redis.url, keyPrefix });
    const client = redis.client();
    onTestFinished(() => client.disconnect());
    const plant = () => client.set(`${keyPrefix}tenant/a`, junk);
    await plant();
    const found = await store.get('tenant/a');
    expect(found).toEqual(junk === '' ? undefined : { revision: 0, bytes: Buffer.alloc(0) });
    expect(await store.revision('tenant/a')).toBe(found?.revision);
    const expectedRevision = found?.revision ?? 'absent';
    await store.put('tenant/a', Buffer.from('1'), { expectedRevision });
    expect((await store.get('tenant/a'))?.bytes).toEqual(Buffer.from('1'));
    await expect(store.put('tenant/a', Buffer.from('2'), { expectedRevision })).rejects.toThrow('another writer');
    await plant();
    expect(await store.delete('tenant/a', found && { expectedRevision: found.revision })).toBe(junk !== '');
    expect(await store.get('tenant/a')).toBeUndefined();
  });

  it('fails at once while Redis is away, and works again after it is back', async () => {
    // A command that waited for an answer would wait longer than this test may last.
    const commandTimeoutSeconds = 600;
    const store = await openStore({ kind: 'redis', url: redis.url, keyPrefix: randomPrefix(), commandTimeoutSeconds });
    await store.put('tenant/a', Buffer.from('1'));
    await redis.kill();
    await eventually(1000, () =>
      store.check().then(
        () => false,
        () => true,
      ),
    );
    await expect(store.get('tenant/a')).rejects.toMatchObject({ code: 'KeyStoreUnavailable', source: 'keys' });
    await redis.restart();
    const record = await eventually(3000, () => store.get('tenant/a').catch(() => undefined));
    expect(record.bytes.toString()).toBe('1');
  });

  it('says that everything may have changed when the watch is lost and when it is back, and then hears changes', async () => {
    const keyPrefix = randomPrefix();
    const store = await openStore({ kind: 'redis', url: redis.url, keyPrefix });
    const heard: (readonly string[] | 'all')[] = [];
    let confirmed = 0;
    await store.watch(
      (changed) => heard.push(changed),
      () => confirmed++,
    );
    await eventually(2000, () => confirmed > 0);
    heard.length = 0;
    await redis.kill();
    await eventually(1000, () => heard.includes('all'));
    await redis.restart();
    confirmed = 0;
    await eventually(5000, () => confirmed > 0);
    const client = redis.client();
    onTestFinished(() => client.disconnect());
    heard.length = 0;
    await client.set(`${keyPrefix}tenant/b`, 'x');
    await eventually(1000, () => heard.some((each) => each !== 'all' && each.includes('tenant/b')));
    heard.length = 0;
    await client.flushall();
    await eventually(1000, () => heard.includes('all'));
  });

  it('notices a Redis that hangs without closing its connections', async () => {
    const store = await openStore({
      kind: 'redis',
      url: redis.url,
      keyPrefix: randomPrefix(),
      commandTimeoutSeconds: 0.3,
    });
    let away = false;
    let confirmed = 0;
    await store.watch(
      (changed) => {
        if (changed === 'all') away = true;
      },
      () => confirmed++,
    );
    await eventually(2000, () => confirmed > 0);
    away = false;
    redis.freeze();
    try {
      await eventually(2000, () => away);
      await expect(store.get('tenant/a')).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
    } finally {
      redis.thaw();
    }
    await eventually(5000, () =>
      store.check().then(
        () => true,
        () => false,
      ),
    );
  });

  it('refuses to start without Redis, with the reason and without the password', async () => {
    const url = 'redis://user:hunter2secret@127.0.0.1:1';
    const opened = openRedisStore({ kind: 'redis', url });
    await expect(opened).rejects.toThrow(/Redis 127\.0\.0\.1:1.*ECONNREFUSED/);
    const error: unknown = await opened.catch((thrown: unknown) => thrown);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2secret');
  });

  it('requires the configured number of replicas', async () => {
    const store = await openStore({
      kind: 'redis',
      url: redis.url,
      keyPrefix: randomPrefix(),
      replicas: 1,
      commandTimeoutSeconds: 5,
    });
    await expect(store.put('tenant/a', Buffer.from('1'))).rejects.toThrow('reached 0 replicas, and 1 are required');
  });

  it('counts a record that is no record of ours as unreadable, not as absent', async () => {
    const keyPrefix = randomPrefix();
    const store = await openStore({ kind: 'redis', url: redis.url, keyPrefix });
    const client = redis.client();
    onTestFinished(() => client.disconnect());
    await client.set(`${keyPrefix}tenant/a`, 'x');
    expect((await store.get('tenant/a'))?.bytes).toHaveLength(0);
  });
});
