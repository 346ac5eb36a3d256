import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { EtagIndex } from '../../src/etags/etag-index.ts';
import { openRedisIndex } from '../../src/etags/redis-index.ts';
import { openRedisStore } from '../../src/keys/store/redis-store.ts';
import { LEAST_ACL } from '../keys/store/least-acl.ts';
import { type SharedRedis, sharedRedis, startRedis } from '../support/servers/redis.ts';
import { etagIndexContract, someEntry } from './etag-index-contract.ts';

let redis: SharedRedis;
beforeAll(async () => {
  redis = await sharedRedis();
});
afterAll(() => redis.stop());

async function open({ url = redis.url, keyPrefix = 'sealgate:', keepSeconds = 60 } = {}): Promise<EtagIndex> {
  const index = await openRedisIndex({ kind: 'redis', url, keyPrefix }, keepSeconds);
  onTestFinished(() => index.close());
  return index;
}

etagIndexContract('Redis', async () => {
  const keyPrefix = `test-${randomBytes(6).toString('hex')}:`;
  return { open: () => open({ keyPrefix }) };
});

describe('Redis', () => {
  it('is part of a Cluster', async () => {
    const cluster = await startRedis({ cluster: true });
    onTestFinished(() => cluster.stop());
    const index = await open({ url: `redis+cluster://127.0.0.1:${cluster.port}` });
    const entries = Array.from({ length: 100 }, () => someEntry());
    await index.write(entries);
    expect(await index.read(entries.map(({ name }) => name))).toEqual(entries.map(({ entry }) => entry));
  });

  it('needs no more rights than the documentation names', async () => {
    const guarded = await startRedis({ requirepass: 'admin', acl: [LEAST_ACL] });
    onTestFinished(() => guarded.stop());
    const index = await open({ url: `redis://sealgate:pass%25word@127.0.0.1:${guarded.port}` });
    const entries = [someEntry(), someEntry()];
    await index.write(entries);
    await index.write(entries.slice(0, 1));
    expect(await index.read(entries.map(({ name }) => name))).toEqual(entries.map(({ entry }) => entry));
  });

  it('forgets what nobody wrote again', async () => {
    const keyPrefix = 'short:';
    const index = await open({ keyPrefix, keepSeconds: 1 });
    const [one, two] = [someEntry(), someEntry()];
    await index.write([one, two]);
    const client = redis.client();
    onTestFinished(() => client.disconnect());
    const keys = await client.keys(`${keyPrefix}etag/*`);
    expect(keys.length).toBe(2);
    for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(0);
    await expect.poll(() => index.read([one.name])).toEqual([undefined]);
  });

  it('lies beside the records: they list and hear nothing of it', async () => {
    const index = await open();
    const store = await openRedisStore({ kind: 'redis', url: redis.url });
    onTestFinished(() => store.close());
    const heard: string[] = [];
    await store.watch((names) => heard.push(...(names === 'all' ? [] : names)));
    await index.write([someEntry(), someEntry()]);
    await store.put('tenant/after', Buffer.from('1'));
    await expect.poll(() => heard).toContain('tenant/after');
    expect(heard.filter((name) => name !== 'tenant/after')).toEqual([]);
    const names: string[] = [];
    for await (const name of store.list('')) names.push(name);
    expect(names).toEqual(['tenant/after']);
  });

  it('takes at most 250 bytes an entry', async () => {
    const client = redis.client();
    onTestFinished(() => client.disconnect());
    const keyPrefix = 'sealgate:';
    const index = await open({ keyPrefix });
    const used = async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
    const before = await used();
    const count = 20_000;
    for (let at = 0; at < count; at += 1000) await index.write(Array.from({ length: 1000 }, () => someEntry()));
    expect(((await used()) - before) / count).toBeLessThan(250);
  });

  it('is KeyStoreUnavailable when it is away', async () => {
    const gone = await startRedis();
    const index = await open({ url: gone.url });
    await gone.stop();
    await expect(index.read([randomBytes(16)])).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
    await expect(index.write([someEntry()])).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
    await expect(index.write([someEntry(), someEntry()])).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
  });
});
