import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import type { GatewayError } from '../../src/errors.ts';
import { isOutOfMemory } from '../../src/keys/store/redis-client.ts';
import { openRedisStore } from '../../src/keys/store/redis-store.ts';
import { openRedisStates } from '../../src/uploads/redis-states.ts';
import { UploadRecords } from '../../src/uploads/upload-record.ts';
import { MAX_UPLOAD_ENTRIES, type UploadStates } from '../../src/uploads/upload-states.ts';
import { LEAST_ACL } from '../keys/store/least-acl.ts';
import { type SharedRedis, sharedRedis, startRedis } from '../support/servers/redis.ts';
import { newId, uploadStatesContract } from './upload-states-contract.ts';

let redis: SharedRedis;
beforeAll(async () => {
  redis = await sharedRedis();
});
afterAll(() => redis.stop());

async function open(url = redis.url, keyPrefix = 'sealgate:'): Promise<UploadStates> {
  const states = await openRedisStates({ kind: 'redis', url, keyPrefix });
  onTestFinished(() => states.close());
  return states;
}

uploadStatesContract('Redis', async () => {
  const keyPrefix = `test-${randomBytes(6).toString('hex')}:`;
  return { open: () => open(redis.url, keyPrefix) };
});

describe('Redis', () => {
  it('is part of a Cluster', async () => {
    const cluster = await startRedis({ cluster: true });
    onTestFinished(() => cluster.stop());
    const states = await open(`redis+cluster://127.0.0.1:${cluster.port}`);
    const ids = Array.from({ length: 20 }, newId);
    for (const id of ids) await states.create(id, [Buffer.from(id)], 60);
    for (const id of ids) expect(await states.append(id, Buffer.from('part'), 60)).toBe(true);
    for (const id of ids) expect(await states.read(id)).toEqual([Buffer.from(id), Buffer.from('part')]);
    await Promise.all(ids.map((id, at) => states.countIn(`tenant-${at % 3}`, id, 60)));
    expect(await states.openUploads('tenant-0')).toBe(7);
  });

  it('needs no more rights than the documentation names', async () => {
    const guarded = await startRedis({ requirepass: 'admin', acl: [LEAST_ACL] });
    onTestFinished(() => guarded.stop());
    const states = await open(`redis://sealgate:pass%25word@127.0.0.1:${guarded.port}`);
    const id = newId();
    await states.create(id, [Buffer.from('h')], 60);
    expect(await states.append(id, Buffer.from('p'), 60)).toBe(true);
    expect([await states.header(id), (await states.read(id))?.length]).toEqual([Buffer.from('h'), 2]);
    await states.countIn('acme', id, 60);
    await states.countOn('acme', id, 60);
    expect(await states.openUploads('acme')).toBe(1);
    await states.countOut('acme', id);
    expect(await states.openUploads('acme')).toBe(0);
    expect(await states.delete(id)).toBe(true);
  });

  it('lies beside the records: they list and hear nothing of it', async () => {
    const states = await open();
    const store = await openRedisStore({ kind: 'redis', url: redis.url });
    onTestFinished(() => store.close());
    const heard: string[] = [];
    await store.watch((names) => heard.push(...(names === 'all' ? [] : names)));
    const id = newId();
    await states.create(id, [Buffer.from('h')], 60);
    for (let at = 0; at < 10; at++) await states.append(id, Buffer.from('p'), 60);
    await store.put('tenant/after', Buffer.from('1'));
    await expect.poll(() => heard).toContain('tenant/after');
    expect(heard.filter((name) => name !== 'tenant/after')).toEqual([]);
    const names: string[] = [];
    for await (const name of store.list('')) names.push(name);
    expect(names).toEqual(['tenant/after']);
  });

  it('costs at most 200 bytes a part, with every checksum there is', async () => {
    const states = await open();
    const id = newId();
    const records = new UploadRecords({ id, keys: new ObjectKeys(randomBytes(32), randomBytes(16)), randomBytes });
    const parts = 9_999;
    const client = redis.client();
    onTestFinished(() => client.disconnect());
    const cost = async (more: {
      md5: Buffer | undefined;
      checksum: { algorithm: 'SHA256'; value: Buffer } | undefined;
    }) => {
      await states.create(id, [randomBytes(222)], 60);
      for (let at = 0; at < parts; at += 500) {
        const some = Array.from({ length: Math.min(500, parts - at) }, (_, offset) =>
          records.sealPart({
            partNumber: at + offset + 1,
            staged: false,
            plaintextBytes: 8 * 1024 * 1024,
            partSalt: randomBytes(16),
            storedAt: new Date(),
            etag: randomBytes(16).toString('hex'),
            ...more,
          }),
        );
        await Promise.all(some.map((entry) => states.append(id, entry, 60)));
      }
      return Number(await client.memory('USAGE', `sealgate:upload/${id}`, 'SAMPLES', 0)) / parts;
    };
    const least = await cost({ md5: undefined, checksum: undefined });
    const most = await cost({ md5: randomBytes(16), checksum: { algorithm: 'SHA256', value: randomBytes(32) } });
    console.log(`Redis keeps ${least.toFixed(1)} bytes a part, ${most.toFixed(1)} with MD5 and SHA-256.`);
    expect(least).toBeLessThan(100);
    expect(most).toBeLessThan(200);
    const started = performance.now();
    const entries = (await states.read(id)) ?? [];
    for (const entry of entries.slice(1)) records.open(entry);
    console.log(`Reading and opening ${parts} parts: ${(performance.now() - started).toFixed(0)} ms.`);
  });

  it('refuses parts past its bound, in words', async () => {
    const states = await open();
    const id = newId();
    const full = Array.from({ length: 500 }, () => Buffer.from('p'));
    await states.create(id, full, 60);
    const client = redis.client();
    for (let at = 500; at < MAX_UPLOAD_ENTRIES; at += 500) await client.rpush(`sealgate:upload/${id}`, ...full);
    client.disconnect();
    await expect(states.append(id, Buffer.from('one more'), 60)).rejects.toThrow(
      expect.objectContaining({ code: 'InvalidRequest', message: expect.stringContaining('40000') }),
    );
    expect((await states.read(id))?.length).toBe(MAX_UPLOAD_ENTRIES);
  });

  it('begins no upload in a Redis whose memory is full, and still marks one as completed', async () => {
    const full = await startRedis();
    onTestFinished(() => full.stop());
    const client = full.client();
    onTestFinished(() => client.disconnect());
    const states = await open(full.url);
    const before = newId();
    await states.create(before, [randomBytes(222), randomBytes(77)], 60);
    await client.config('SET', 'maxmemory', '1');
    const refused: unknown[] = [];
    const keep = (error: unknown) => refused.push(error);
    const id = newId();
    await states.create(id, [randomBytes(222)], 60).catch(keep);
    await states.countIn('acme', id, 60).catch(keep);
    await states.append(before, randomBytes(77), 60).catch(keep);
    expect(refused).toHaveLength(3);
    for (const error of refused) {
      expect(error).toMatchObject({ code: 'KeyStoreUnavailable' });
      expect(isOutOfMemory(error)).toBe(true);
    }
    expect(await client.keys('*')).toEqual([`sealgate:upload/${before}`]);
    expect(await states.read(before)).toHaveLength(2);
    const marks = [Buffer.from('completed'), Buffer.from('header')];
    await states.replace(before, marks, 60);
    expect(await states.read(before)).toEqual(marks);
  });

  it('is a 503 while Redis is away', async () => {
    const own = await startRedis();
    onTestFinished(() => own.stop());
    const states = await open(own.url);
    await own.kill();
    await expect
      .poll(() => states.header(newId()).catch((error: GatewayError) => error.code))
      .toBe('KeyStoreUnavailable');
    await own.restart();
    await expect.poll(() => states.header(newId()).catch((error: GatewayError) => error.code)).toBeUndefined();
  });
});
