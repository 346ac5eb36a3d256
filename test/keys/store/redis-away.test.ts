import { expect, it, onTestFinished } from 'vitest';
import { rootKeyFromText } from '../../../src/keys/root/root-key.ts';
import { openRecordStore } from '../../../src/keys/store/table.ts';
import { Secret } from '../../../src/secret.ts';
import { startRedis } from '../../support/servers/redis.ts';
import { eventually } from '../eventually.ts';
import { openKeys, openStore, randomRootKey } from '../fixture.ts';

it('another gateway sees a rotation within a second, through Redis’s own invalidation', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const rootKey = randomRootKey();
  const open = async () => openKeys({ store: await openStore({ kind: 'redis', url: redis.url }), rootKey });
  const [one, two] = [await open(), await open()];
  const { id } = await one.keyRings.create('acme');
  expect((await two.keyRings.current(id)).version).toBe(1);
  await one.keyRings.rotate(id);
  await eventually(1000, async () => (await two.keyRings.current(id)).version === 2);
  // The message may come after the read that found the new version, and causes one more. Then the cache answers alone.
  await eventually(1000, async () => {
    const reads = two.observer.counts['get ok'];
    for (let i = 0; i < 1000; i++) await two.keyRings.current(id);
    return two.observer.counts['get ok'] === reads;
  });
  await one.keyRings.remove(id);
  await eventually(1000, () =>
    two.keyRings.current(id).then(
      () => false,
      () => true,
    ),
  );
  await expect(two.keyRings.current(id)).rejects.toMatchObject({ code: 'KeyUnavailable' });
});

it('Redis killed: cached keys serve up to staleSeconds, then KeyStoreUnavailable; Redis back: all is well', async () => {
  const redis = await startRedis({ persistent: true });
  onTestFinished(() => redis.stop());
  const store = await openStore({ kind: 'redis', url: redis.url });
  const limits = { maxAgeSeconds: 60, staleSeconds: 300 };
  const { keyRings, clock, records } = await openKeys({ store, rootKey: randomRootKey(), limits });
  const { id } = await keyRings.create('acme');
  const { id: cold } = await keyRings.create('beta');
  await keyRings.current(id);
  expect(await records.readiness()).toBeUndefined();
  await redis.kill();
  await eventually(1000, () =>
    records.check().then(
      () => false,
      () => true,
    ),
  );

  expect((await keyRings.current(id)).version).toBe(1);
  expect(await records.readiness()).toBe('does not answer; what is cached serves for 300 s more');
  clock.advance(59);
  expect((await keyRings.current(id)).version).toBe(1);
  expect((await keyRings.kek(id, 1)).version).toBe(1);
  await expect(keyRings.kek(cold, 1)).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
  clock.advance(2);
  await expect(keyRings.current(id)).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
  expect((await keyRings.kek(id, 1)).version).toBe(1);
  expect(await records.readiness()).toBe('does not answer; what is cached serves for 239 s more');
  clock.advance(240);
  await expect(records.readiness()).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
  await expect(keyRings.kek(id, 1)).rejects.toMatchObject({ code: 'KeyStoreUnavailable', source: 'keys' });

  await redis.restart();
  await eventually(5000, () =>
    keyRings.current(id).then(
      () => true,
      () => false,
    ),
  );
  expect((await keyRings.kek(cold, 1)).version).toBe(1);
  expect(await records.readiness()).toBeUndefined();
});

it('a gateway that knows nothing yet is not ready without Redis, and one that may serve nothing stale neither', async () => {
  const redis = await startRedis({ persistent: true });
  onTestFinished(() => redis.stop());
  const open = async (staleSeconds: number) => {
    const store = await openStore({ kind: 'redis', url: redis.url });
    return openKeys({
      store,
      rootKey: rootKeyFromText(Buffer.alloc(32, 5).toString('base64')),
      limits: { staleSeconds },
    });
  };
  const [cold, strict] = [await open(300), await open(0)];
  const { id } = await strict.keyRings.create('acme');
  await strict.keyRings.current(id);
  expect([await cold.records.readiness(), await strict.records.readiness()]).toEqual([undefined, undefined]);
  redis.freeze(); // silent, which is found out by waiting
  try {
    for (const { records } of [cold, strict]) {
      await expect(records.readiness()).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
    }
  } finally {
    redis.thaw();
  }
});

it('Redis back without its data: nothing is sealed under a key that is gone', async () => {
  const redis = await startRedis({ persistent: false });
  onTestFinished(() => redis.stop());
  const store = await openStore({ kind: 'redis', url: redis.url });
  const { keyRings } = await openKeys({ store, rootKey: rootKeyFromText(Buffer.alloc(32, 5).toString('base64')) });
  const { id } = await keyRings.create('acme');
  await keyRings.current(id);
  await redis.kill();
  await redis.restart();
  const code = await eventually(5000, () =>
    keyRings.current(id).then(
      () => undefined,
      (error: { code: string }) => (error.code === 'KeyUnavailable' ? error.code : undefined),
    ),
  );
  expect(code).toBe('KeyUnavailable');
});

it('tells of every beat whether Redis answered, though nobody asks for a record', async () => {
  const redis = await startRedis({ persistent: true });
  onTestFinished(() => redis.stop());
  const { observer } = await openKeys({
    store: await openStore({ kind: 'redis', url: redis.url }),
    rootKey: randomRootKey(),
  });
  const beats = (what: string) => observer.counts[what] ?? 0;
  await eventually(5000, async () => beats('beat') >= 2);
  expect(beats('beat without answer')).toBe(0);
  await redis.kill();
  await eventually(5000, async () => beats('beat without answer') >= 3);
  const before = beats('beat');
  await redis.restart();
  await eventually(5000, async () => beats('beat') > before);
});

it('tells of every attempt to reach a Redis that is gone', async () => {
  const redis = await startRedis({ persistent: true });
  onTestFinished(() => redis.stop());
  let attempts = 0;
  const store = await openRecordStore(
    { kind: 'redis', url: new Secret(redis.url) },
    { onReconnect: () => void attempts++ },
  );
  onTestFinished(() => store.close());
  expect(attempts).toBe(0);
  await redis.kill();
  await eventually(5000, async () => attempts >= 2);
  await redis.restart();
  await eventually(5000, () =>
    store.check().then(
      () => true,
      () => false,
    ),
  );
});
