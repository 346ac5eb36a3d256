import { describe, expect, it, onTestFinished } from 'vitest';
import { RevisionConflict } from '../../../src/keys/store/record-store.ts';
import { openRedisStore } from '../../../src/keys/store/redis-store.ts';
import { Secret } from '../../../src/secret.ts';
import { type RedisServer, type RedisServerOptions, startRedis, startSentinel } from '../../support/servers/redis.ts';
import { eventually, sorted } from '../eventually.ts';
import { openStore } from '../fixture.ts';
import { LEAST_ACL } from './least-acl.ts';

async function redisHere(options: RedisServerOptions): Promise<RedisServer> {
  const redis = await startRedis(options);
  onTestFinished(() => redis.stop());
  return redis;
}

describe('Redis with an ACL user', () => {
  it('works with the least rights that the documentation names, watch included', async () => {
    const redis = await redisHere({ requirepass: 'admin', acl: [LEAST_ACL] });
    const warnings: string[] = [];
    const url = `redis://sealgate:pass%25word@127.0.0.1:${redis.port}/0`;
    const store = await openRedisStore({ kind: 'redis', url }, { onWarning: (warning) => warnings.push(warning) });
    onTestFinished(() => store.close());
    const heard: string[] = [];
    await store.watch((names) => heard.push(...(names === 'all' ? [] : names)));
    const revision = await store.put('tenant/a', Buffer.from('1'), { expectedRevision: 'absent' });
    await store.put('tenant/a', Buffer.from('2'), { expectedRevision: revision });
    expect(await sorted(store.list(''))).toEqual(['tenant/a']);
    expect(await store.delete('tenant/a')).toBe(true);
    await eventually(1000, () => heard.includes('tenant/a'));
    expect(warnings).toEqual([]);
  });

  it('polls, and says so, where the user may not track', async () => {
    const redis = await redisHere({ requirepass: 'admin', acl: [LEAST_ACL.replace(' +client|tracking', '')] });
    const warnings: string[] = [];
    const store = await openRedisStore(
      {
        kind: 'redis',
        url: `redis://127.0.0.1:${redis.port}`,
        username: 'sealgate',
        password: new Secret('pass%word'),
      },
      { onWarning: (warning) => warnings.push(warning) },
    );
    onTestFinished(() => store.close());
    let all = 0;
    let confirmed = 0;
    await store.watch(
      () => all++,
      () => confirmed++,
    );
    const before = all;
    await eventually(1500, () => all >= before + 2);
    expect(confirmed).toBe(0);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('polls instead');
  });

  it('refuses a wrong password without repeating it', async () => {
    const redis = await redisHere({ requirepass: 'right' });
    const opened = openRedisStore({ kind: 'redis', url: `redis://:plantedwrong@127.0.0.1:${redis.port}` });
    const error: unknown = await opened.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: 'KeyStoreUnavailable', message: expect.stringMatching(/WRONGPASS|NOAUTH/) });
    expect(String((error as Error).cause) + JSON.stringify((error as Error).cause)).not.toContain('plantedwrong');
  });
});

describe('Redis Cluster', () => {
  it('stores, lists, watches and comes back', async () => {
    const redis = await redisHere({ cluster: true });
    const store = await openStore({ kind: 'redis', url: `redis+cluster://127.0.0.1:${redis.port}` });
    const heard: string[] = [];
    let confirmed = 0;
    await store.watch(
      (names) => heard.push(...(names === 'all' ? [] : names)),
      () => confirmed++,
    );
    const revision = await store.put('tenant/a', Buffer.from('1'));
    await store.put('ring/b', Buffer.from('1'));
    await store.put('tenant/a', Buffer.from('2'), { expectedRevision: revision });
    await expect(store.put('ring/b', Buffer.from('2'), { expectedRevision: 'absent' })).rejects.toThrow(
      RevisionConflict,
    );
    expect(await sorted(store.list(''))).toEqual(['ring/b', 'tenant/a']);
    await eventually(1000, () => heard.includes('tenant/a') && heard.includes('ring/b'));
    await eventually(2000, () => confirmed > 0);
    await redis.kill();
    await eventually(1000, () =>
      store.get('tenant/a').then(
        () => false,
        () => true,
      ),
    );
    await redis.restart();
    await eventually(10_000, () =>
      store.get('tenant/a').then(
        () => true,
        () => false,
      ),
    );
    confirmed = 0;
    await eventually(5000, () => confirmed > 0);
  });
});

describe('Redis Sentinel', () => {
  it('finds the master by its group’s name', async () => {
    const redis = await redisHere({});
    const sentinel = await startSentinel(redis, 'keys');
    onTestFinished(() => sentinel.stop());
    const store = await openStore({ kind: 'redis', url: `redis+sentinel://127.0.0.1:${sentinel.port}/keys/0` });
    const heard: string[] = [];
    await store.watch((names) => heard.push(...(names === 'all' ? [] : names)));
    await store.put('tenant/a', Buffer.from('1'));
    await eventually(1000, () => heard.includes('tenant/a'));
    const client = redis.client();
    onTestFinished(() => client.disconnect());
    expect(await client.keys('*')).toEqual(['sealgate:tenant/a']);
    const unknown = openRedisStore({
      kind: 'redis',
      url: `redis+sentinel://127.0.0.1:${sentinel.port}/other`,
      connectTimeoutSeconds: 0.5,
    });
    await expect(unknown).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
  });
});
