import { randomBytes } from 'node:crypto';
import { chmod, copyFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { examineStore } from '../../src/keys/ledger/accept-store.ts';
import { HighestGeneration } from '../../src/keys/ledger/generation-file.ts';
import { parsePayload } from '../../src/keys/payload.ts';
import { LEDGER_NAME, parseRecordName, recordName } from '../../src/keys/record-name.ts';
import type { RootKey } from '../../src/keys/root/root-key.ts';
import { CANARY, startUpSelfTest } from '../../src/keys/self-test.ts';
import { keyStoreUnavailable, type RecordStore, type StoredRecord } from '../../src/keys/store/record-store.ts';
import { CREDENTIAL } from '../../src/tenants/credential.ts';
import { eventually } from '../keys/eventually.ts';
import { openStore, randomRootKey, type StoreConfig, temporaryDirectory } from '../keys/fixture.ts';
import { type RedisServer, startRedis } from '../support/servers/redis.ts';
import { ALL_RECORD_KINDS, openTenancy, type Tenancy } from './fixture.ts';

/**
 * Whoever can write to the key store can put back what lay there before, delete, and keep messages from arriving; they
 * cannot read or make a record. What was revoked stays revoked all the same, and what was taken away is noticed.
 */

let redis: RedisServer;
let cluster: RedisServer;
beforeAll(async () => {
  [redis, cluster] = await Promise.all([startRedis(), startRedis({ cluster: true })]);
});
afterAll(() => Promise.all([redis.stop(), cluster.stop()]));

/** Every record of a store, as an adversary copies and rewrites them. */
async function copyOf(store: RecordStore): Promise<Map<string, Buffer>> {
  const copy = new Map<string, Buffer>();
  for await (const name of store.list('')) copy.set(name, ((await store.get(name)) as StoredRecord).bytes);
  return copy;
}

async function putBack(store: RecordStore, copy: ReadonlyMap<string, Buffer>): Promise<void> {
  for await (const name of store.list('')) if (!copy.has(name)) await store.delete(name);
  for (const [name, bytes] of copy) await store.put(name, bytes);
}

/** What a process remembers; its file is whole when the test ends. */
async function remembered(path: string, { id }: RootKey): Promise<HighestGeneration> {
  const highest = await HighestGeneration.open({ path, id, onWarning: () => undefined });
  onTestFinished(() => highest.settled());
  return highest;
}

const selfTest = ({ records }: Tenancy) => startUpSelfTest({ records, kinds: ALL_RECORD_KINDS, now: () => new Date() });

const keyPrefix = () => `${randomBytes(6).toString('hex')}:`;
const STORES: readonly (readonly [string, () => Promise<StoreConfig>])[] = [
  ['Redis', async () => ({ kind: 'redis', url: redis.url, keyPrefix: keyPrefix() })],
  [
    'a Redis Cluster',
    async () => ({ kind: 'redis', url: `redis+cluster://127.0.0.1:${cluster.port}`, keyPrefix: keyPrefix() }),
  ],
  ['a file', async () => ({ kind: 'file', path: join(await temporaryDirectory(), 'keys.json') })],
];

describe.each(STORES)('in %s', (_name, configure) => {
  /** A gateway and an administrator, each a process of its own; and the store as an adversary has it. */
  async function stand(options: { readonly rootKey?: RootKey } = {}) {
    const config = await configure();
    const rootKey = options.rootKey ?? randomRootKey();
    const open = async (highest?: HighestGeneration) =>
      openTenancy({ store: await openStore(config), rootKey, ...(highest && { highest }) });
    const [gateway, admin] = [await open(), await open()];
    await admin.administration.addTenant({ name: 'acme', buckets: ['acme-*'], accessKeyId: 'ACMEFIRST' });
    return { rootKey, open, gateway, admin, store: await openStore(config) };
  }

  it('a default of a bucket that was put back, or taken away, is refused', async () => {
    const { gateway, admin, store } = await stand();
    const { tenant } = (await gateway.directory.caller('ACMEFIRST'))!;
    const name = 'canary/bucket-defaults.acme';
    const set = (customerKeys: 'allowed' | 'blocked') =>
      admin.bucketDefaults.change(tenant, 'acme-a', () => {
        const unset = { form: 'managed', keyId: undefined, bucketKey: false, made: undefined } as const;
        return { bucket: 'acme-a', ...unset, setAt: new Date(), customerKeys };
      });
    const held = async () => (await gateway.bucketDefaults.get(tenant, 'acme-a'))?.customerKeys;
    expect(await held()).toBeUndefined();
    await set('allowed');
    await eventually(1000, async () => (await held()) === 'allowed');
    const old = (await store.get(name))!.bytes;
    await set('blocked');
    await eventually(1000, async () => (await held()) === 'blocked');
    // While a change is under way the ledger itself has the record, and what lies in the store does not count.
    await eventually(1000, () => gateway.records.generation === admin.records.generation);
    const refused = () =>
      held().then(
        () => false,
        (error: { code?: string }) => error.code === 'KeyUnavailable',
      );
    await store.put(name, old);
    await eventually(1500, refused);
    await store.delete(name);
    await eventually(1500, refused);
  });

  it('an older record that was put back is refused, told and counted, by gateways that run and that start', async () => {
    const { gateway, admin, store, open } = await stand();
    const old = (await store.get('tenant/acme'))!.bytes;
    await admin.administration.changeTenant('acme', { buckets: [{ pattern: 'acme-*', protection: 'none' }] });
    await admin.administration.changeTenant('acme', { buckets: ['acme-*'] });
    await store.put('tenant/acme', old);
    // Gateways that ran before and one that starts now.
    for (const each of [gateway, await open()]) {
      const refused = eventually(1500, () =>
        each.directory.caller('ACMEFIRST').then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
      expect(await refused).toMatchObject({ code: 'KeyUnavailable', record: 'tenant/acme' });
      expect(each.observer.counts['put back record']).toBeGreaterThan(0);
      expect(each.warnings.join()).toContain('tenant/acme');
      await expect(selfTest(each)).rejects.toThrow(/tenant\/acme.*older one was put back.*accept-generation/);
    }
  });

  it('a revoked access key that was put back stays revoked, and revoking it again removes it', async () => {
    const { gateway, admin, store, open } = await stand();
    const old = (await store.get('credential/ACMEFIRST'))!.bytes;
    await eventually(1500, () => gateway.directory.caller('ACMEFIRST'));
    await admin.administration.revokeCredential('ACMEFIRST');
    await store.put('credential/ACMEFIRST', old);
    await eventually(1000, async () => (await gateway.directory.caller('ACMEFIRST')) === undefined);
    const later = await open();
    expect(await later.directory.caller('ACMEFIRST')).toBeUndefined();
    expect(later.warnings).toEqual([expect.stringContaining('credential/ACMEFIRST')]);
    expect(later.observer.counts['put back record']).toBe(1);
    await selfTest(later); // a start is not stopped by it
    expect(await later.administration.listCredentials()).toEqual([]);
    expect(await later.administration.revokeCredential('ACMEFIRST')).toBe(true);
    expect(await store.get('credential/ACMEFIRST')).toBeUndefined();
  });

  it('a record that somebody deleted is missed', async () => {
    const { admin, store, open, gateway } = await stand();
    const { ringId } = (await admin.administration.listTenants())[0]!;
    await store.delete(recordName('ring', ringId));
    for (const each of [gateway, await open()]) {
      const gone = { code: 'KeyUnavailable', message: expect.stringContaining('gone from the store') };
      await eventually(1500, () =>
        each.keyRings.current(ringId).then(
          () => false,
          () => true,
        ),
      );
      await expect(each.keyRings.current(ringId)).rejects.toMatchObject(gone);
      await expect(selfTest(each)).rejects.toThrow(`ring/${ringId}`);
    }
  });

  it('a whole older state is not believed by who saw the newer one: now, and after a restart', async () => {
    const { admin, store, open, rootKey, gateway } = await stand();
    const path = join(await temporaryDirectory(), 'generations.json');
    const remember = () => remembered(path, rootKey);
    const highest = await remember();
    const running = await open(highest);
    const before = await copyOf(store);
    await admin.administration.addCredential('acme', { accessKeyId: 'ACMESECOND' });
    await admin.administration.revokeCredential('ACMEFIRST');
    await eventually(1500, async () => running.records.generation === admin.records.generation);
    await putBack(store, before);
    await eventually(1500, async () => running.records.trouble !== undefined);
    expect(running.records.trouble?.message).toMatch(/put back: it is of generation \d+, and \d+ was seen already/);
    expect(running.observer.counts['put back store']).toBeGreaterThan(0);
    expect(running.warnings).toContain(running.records.trouble?.message);
    // What it knows serves: it stays ready, and says so.
    expect(await running.records.readiness()).toMatch(/^was put back/);
    expect(await running.directory.caller('ACMEFIRST')).toBeUndefined();
    await expect(running.directory.caller('ACMESECOND')).rejects.toMatchObject({ record: 'credential/ACMESECOND' });
    // Nobody administers such a store, not even by mistake.
    const add = gateway.administration.addCredential('acme', { accessKeyId: 'ACMETHIRD' });
    await expect(add).rejects.toThrow('accept-generation');

    await highest.settled();
    const restarted = await open(await remember());
    await expect(selfTest(restarted)).rejects.toThrow(/put back: it is of generation/);
    await expect(restarted.directory.caller('ACMEFIRST')).rejects.toMatchObject({ code: 'KeyUnavailable' });

    // Without the ledger it is no better.
    await store.delete(LEDGER_NAME);
    const without = await open(await remember());
    await expect(selfTest(without)).rejects.toThrow('no record of its generation any more');
    await expect(without.directory.caller('ACMEFIRST')).rejects.toMatchObject({ code: 'KeyUnavailable' });
  });

  it('an owner who restored a backup accepts it, and every gateway goes on', async () => {
    const { admin, store, open, rootKey, gateway } = await stand();
    const path = join(await temporaryDirectory(), 'generations.json');
    const remember = () => remembered(path, rootKey);
    const backup = await copyOf(store);
    await admin.administration.revokeCredential('ACMEFIRST');
    await eventually(1500, async () => gateway.records.generation === admin.records.generation);
    await putBack(store, backup);
    await eventually(1500, async () => gateway.records.trouble !== undefined);
    const found = await examineStore({ store, rootKey, highest: await remember(), now: () => new Date() });
    expect(found).toMatchObject({ different: [], records: 4 });
    const generation = await found.accept();
    await eventually(1500, async () => gateway.records.generation === generation);
    expect(gateway.records.trouble).toBeUndefined();
    expect((await gateway.directory.caller('ACMEFIRST'))?.tenant.name).toBe('acme');
    await selfTest(await open(await remember()));
    await gateway.administration.addCredential('acme');
    expect(gateway.records.generation).toBeGreaterThan(generation);
  });

  it('what an acceptance would bring back is named', async () => {
    const { admin, store, rootKey } = await stand();
    const old = await copyOf(store);
    await admin.administration.changeTenant('acme', { buckets: ['acme-*', 'more'] });
    await admin.administration.revokeCredential('ACMEFIRST');
    const { ringId } = (await admin.administration.listTenants())[0]!;
    for (const name of ['tenant/acme', 'credential/ACMEFIRST']) await store.put(name, old.get(name)!);
    await store.delete(`ring/${ringId}`);
    const { different } = await examineStore({ store, rootKey, highest: undefined, now: () => new Date() });
    expect(different).toEqual([
      { name: 'credential/ACMEFIRST', how: 'was removed, and is there again' },
      { name: `ring/${ringId}`, how: 'is gone' },
      { name: 'tenant/acme', how: 'is another one' },
    ]);
  });

  it('a store of release 0.1, which has no ledger, is read as it is, and gets one at the first write', async () => {
    const { store, open } = await stand();
    await store.delete(LEDGER_NAME);
    const gateway = await open();
    expect((await gateway.directory.caller('ACMEFIRST'))?.tenant.name).toBe('acme');
    expect(gateway.records.generation).toBeUndefined();
    await selfTest(gateway); // writes the canary, which is the first write
    expect(gateway.records.generation).toBeGreaterThan(0);
    const old = (await store.get('credential/ACMEFIRST'))!.bytes;
    const other = await open();
    await other.administration.revokeCredential('ACMEFIRST');
    await store.put('credential/ACMEFIRST', old);
    expect(await (await open()).directory.caller('ACMEFIRST')).toBeUndefined();
  });

  it('gateways of release 0.1 take the ledger for a canary, and start', async () => {
    const { store, rootKey } = await stand();
    const plaintext = await rootKey.unwrap(LEDGER_NAME, (await store.get(LEDGER_NAME))!.bytes);
    expect(parseRecordName(LEDGER_NAME)?.kind).toBe('canary');
    // All that they ask of one.
    expect(CANARY.decode(parsePayload(plaintext), 'generations').createdAt).toMatch(/^\d{4}-.*Z$/);
  });

  it('administrators in several processes write at once, and nothing is lost', async () => {
    const { open, admin } = await stand();
    const others = await Promise.all([open(), open(), open()]);
    const added = await Promise.all(
      Array.from({ length: 24 }, (_, at) =>
        others[at % 3]!.administration.addCredential('acme', { accessKeyId: `ACMENUMBER${at}` }),
      ),
    );
    expect(await admin.administration.listCredentials()).toHaveLength(added.length + 1);
    for (const each of others) await selfTest(each);
    const tenants = others.map((each, at) => each.administration.addTenant({ name: `t${at}`, buckets: [`t${at}`] }));
    await Promise.all(tenants);
    expect((await admin.administration.listTenants()).map(({ name }) => name)).toEqual(['acme', 't0', 't1', 't2']);
    await selfTest(admin);
  });

  it('who ends an access key that is just being made ends it for the ledger too, or not at all', async () => {
    const { rootKey, admin, open, store } = await stand();
    let meanwhile: (() => Promise<unknown>) | undefined;
    const slow = new Proxy(store, {
      get: (target, name: keyof RecordStore) => {
        if (name !== 'revision') return (target[name] as (...args: unknown[]) => unknown).bind(target);
        return async (record: string) => {
          const made = record === 'credential/ACMESECOND' ? meanwhile : undefined;
          if (made !== undefined) meanwhile = undefined;
          await made?.();
          return target.revision(record);
        };
      },
    });
    const other = await openTenancy({ store: slow, rootKey });
    meanwhile = () => admin.administration.addCredential('acme', { accessKeyId: 'ACMESECOND' });
    await other.administration.revokeCredential('ACMESECOND');
    expect(meanwhile).toBeUndefined();
    const later = await open();
    await selfTest(later);
    expect((await later.administration.listCredentials()).map(({ accessKeyId }) => accessKeyId)).toEqual(['ACMEFIRST']);
    expect(later.warnings).toEqual([]);
  });

  it('a writer that dies half-way has made its change: readers see it, and the next writer finishes it', async () => {
    const config = await configure();
    const rootKey = randomRootKey();
    const raw = await openStore(config);
    const dies = { puts: false };
    const dying: RecordStore = Object.assign(Object.create(raw) as RecordStore, {
      get: raw.get.bind(raw),
      revision: raw.revision.bind(raw),
      list: raw.list.bind(raw),
      watch: raw.watch.bind(raw),
      put: (...args: Parameters<RecordStore['put']>) => {
        if (dies.puts && args[0] !== LEDGER_NAME) throw keyStoreUnavailable(new Error('the process died'));
        return raw.put(...args);
      },
      delete: (...args: Parameters<RecordStore['delete']>) => {
        if (dies.puts) throw keyStoreUnavailable(new Error('the process died'));
        return raw.delete(...args);
      },
    });
    const first = await openTenancy({ store: dying, rootKey });
    await first.administration.addTenant({ name: 'acme', buckets: ['acme-*'], accessKeyId: 'ACMEFIRST' });
    const unchanged = (await raw.get('credential/ACMEFIRST'))!.bytes;
    dies.puts = true;
    await expect(first.administration.revokeCredential('ACMEFIRST')).rejects.toMatchObject({
      code: 'KeyStoreUnavailable',
    });
    expect((await raw.get('credential/ACMEFIRST'))!.bytes).toEqual(unchanged);
    const second = await openTenancy({ store: await openStore(config), rootKey });
    expect(await second.directory.caller('ACMEFIRST')).toBeUndefined();
    await second.administration.addCredential('acme', { accessKeyId: 'ACMESECOND' });
    expect(await raw.get('credential/ACMEFIRST')).toBeUndefined();
    expect((await second.directory.caller('ACMESECOND'))?.tenant.name).toBe('acme');
    expect(second.warnings).toEqual([]);

    // A change of several records is whole, too: all are deleted, or none.
    dies.puts = false;
    const doomed = ['ACMETHIRD', 'ACMEFOURTH'];
    for (const accessKeyId of doomed) await second.administration.addCredential('acme', { accessKeyId });
    dies.puts = true;
    await expect(first.records.deleteAll(CREDENTIAL, ['ACMEABSENT', ...doomed])).rejects.toMatchObject({
      code: 'KeyStoreUnavailable',
    });
    for (const accessKeyId of doomed) {
      expect(await raw.get(`credential/${accessKeyId}`)).toBeDefined();
      expect(await (await openTenancy({ store: await openStore(config), rootKey })).directory.caller(accessKeyId)).toBe(
        undefined,
      );
    }
    await second.administration.addCredential('acme', { accessKeyId: 'ACMEFIFTH' });
    for (const accessKeyId of doomed) expect(await raw.get(`credential/${accessKeyId}`)).toBeUndefined();
    expect((await second.directory.caller('ACMESECOND'))?.tenant.name).toBe('acme');
    await second.records.deleteAll(CREDENTIAL, doomed);
    expect(second.warnings).toEqual([]);
  });
});

const NOBODY = 65534;

describe('the highest generation', () => {
  const options = async () => ({
    path: join(await temporaryDirectory(), 'deep', 'generations.json'),
    id: randomRootKey().id,
    onWarning: () => undefined,
  });

  it('only grows, over processes and for each root key', async () => {
    const mine = await options();
    const [one, two] = [await HighestGeneration.open(mine), await HighestGeneration.open(mine)];
    const other = await HighestGeneration.open({ ...mine, id: randomRootKey().id });
    two.raise(9);
    one.raise(7);
    one.raise(8);
    other.raise(3);
    await Promise.all([one.settled(), two.settled(), other.settled()]);
    expect([one.value, (await HighestGeneration.open(mine)).value]).toEqual([8, 9]);
    one.raise(5);
    expect(one.value).toBe(8);
  });

  it('is told once where it cannot be kept, and the gateway goes on', async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, 'file'), '');
    const warnings: string[] = [];
    const onWarning = (message: string) => void warnings.push(message);
    const highest = await HighestGeneration.open({
      ...(await options()),
      path: join(directory, 'file', 'x'),
      onWarning,
    });
    for (const generation of [1, 2]) {
      highest.raise(generation);
      await highest.settled();
    }
    expect(warnings).toEqual([expect.stringContaining('keys.generationFile')]);
    expect(highest.value).toBe(2);
  });

  it('of a file that only another user of the machine may read stops no start', async () => {
    const warnings: string[] = [];
    const mine = { ...(await options()), onWarning: (message: string) => void warnings.push(message) };
    const root = await HighestGeneration.open(mine);
    root.raise(3);
    await root.settled();
    expect((await stat(mine.path)).mode & 0o777).toBe(0o644 & ~process.umask());
    await chmod(mine.path, 0);
    const isRoot = process.geteuid?.() === 0; // to whom modes say nothing
    if (isRoot) process.seteuid?.(NOBODY);
    const other = await HighestGeneration.open(mine).finally(() => isRoot && process.seteuid?.(0));
    expect(other.value).toBe(0);
    expect(warnings).toEqual([expect.stringMatching(/EACCES.*keys\.generationFile/)]);
  });

  it('of a file that is not Sealgate’s stops the start, and the file stays', async () => {
    const mine = await options();
    const path = join(await temporaryDirectory(), 'mine.txt');
    await writeFile(path, 'my notes');
    await copyFile(path, `${path}.copy`);
    await expect(HighestGeneration.open({ ...mine, path })).rejects.toThrow('is not one that Sealgate wrote');
    expect(await readFile(path, 'utf8')).toBe('my notes');
  });
});
