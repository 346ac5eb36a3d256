import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openRedisIndex } from '../../src/etags/redis-index.ts';
import { HighestGeneration } from '../../src/keys/ledger/generation-file.ts';
import { viewPlace } from '../../src/keys/ledger/tenant-view.ts';
import { TenantViewStore } from '../../src/keys/ledger/tenant-view-store.ts';
import { type RootKey, rootKeyFromText } from '../../src/keys/root/root-key.ts';
import { startUpSelfTest } from '../../src/keys/self-test.ts';
import { isOutOfMemory } from '../../src/keys/store/redis-client.ts';
import { openRecordStore } from '../../src/keys/store/table.ts';
import { Secret } from '../../src/secret.ts';
import { Administration } from '../../src/tenants/administration.ts';
import { BucketDefaultRecords } from '../../src/tenants/bucket-defaults.ts';
import { PublishedAdministration } from '../../src/tenants/published-administration.ts';
import { SidecarViews } from '../../src/tenants/sidecar-views.ts';
import { openRedisStates } from '../../src/uploads/redis-states.ts';
import { eventually } from '../keys/eventually.ts';
import { openStore, randomRootKey, temporaryDirectory } from '../keys/fixture.ts';
import { SIDECAR_ACL } from '../keys/store/least-acl.ts';
import { type RedisServer, startRedis } from '../support/servers/redis.ts';
import { ALL_RECORD_KINDS, openTenancy, TENANT } from './fixture.ts';

/** A sidecar has one tenant's wrap key and a Redis user of its own: it serves this tenant, and can do nothing else. */

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ requirepass: 'admin', acl: [SIDECAR_ACL] });
});
afterAll(() => redis.stop());

const owner = () => ({ kind: 'redis', url: `redis://:admin@127.0.0.1:${redis.port}` }) as const;
const limited = () =>
  ({
    kind: 'redis',
    url: new Secret(`redis://127.0.0.1:${redis.port}`),
    username: 'photos',
    password: new Secret('pass'),
  }) as const;

/** The deployment, with the tenants photos and other. */
async function deployment() {
  const rootKey = randomRootKey();
  const store = await openStore(owner());
  const client = redis.client();
  await client.flushall();
  client.disconnect();
  const { records, keyRings } = await openTenancy({ store, rootKey });
  const views = new SidecarViews({ store, records, tenants: TENANT, rootKey, now: () => new Date() });
  const administration = new PublishedAdministration({ records, keyRings, tenants: TENANT, views });
  for (const name of ['photos', 'other']) {
    await administration.addTenant({ name, buckets: [`${name}-*`], accessKeyId: `${name.toUpperCase()}FIRST` });
  }
  return { rootKey, store, views, administration, records, keyRings };
}

async function openSidecar(key: RootKey, highest?: HighestGeneration) {
  const warnings: string[] = [];
  const store = await TenantViewStore.open({
    store: await openRecordStore(limited()),
    key,
    tenant: 'photos',
    highest,
    monotonicNow: () => performance.now(),
    onPutBack: (sentence) => void warnings.push(sentence),
  });
  onTestFinished(() => store.close());
  return { ...(await openTenancy({ store, rootKey: key })), store, putBack: warnings };
}

it('serves its tenant, sees changes within a second, and has nothing of another', async () => {
  const { administration, views } = await deployment();
  const key = rootKeyFromText((await views.create('photos')).reveal());
  const sidecar = await openSidecar(key);
  const { records } = sidecar;
  expect(await startUpSelfTest({ records, kinds: ALL_RECORD_KINDS, now: () => new Date() })).toBe(5);
  const caller = await sidecar.directory.caller('PHOTOSFIRST');
  expect(caller?.tenant.name).toBe('photos');
  expect((await sidecar.keyRings.current(caller!.tenant.ringId)).version).toBe(1);
  expect((await sidecar.directory.owner('photos-a'))?.name).toBe('photos');
  expect(await sidecar.directory.caller('OTHERFIRST')).toBeUndefined();
  expect(await sidecar.directory.owner('other-a')).toBeUndefined();

  await administration.addCredential('photos', { accessKeyId: 'PHOTOSSECOND' });
  await eventually(6000, async () => (await sidecar.directory.caller('PHOTOSSECOND')) !== undefined);
  await administration.changeTenant('photos', { buckets: ['photos-*', 'pictures'] });
  await eventually(1000, async () => (await sidecar.directory.caller('PHOTOSFIRST'))?.tenant.buckets.length === 2);
  await administration.rotateKey('photos');
  await eventually(1000, async () => (await sidecar.keyRings.current(caller!.tenant.ringId)).version === 2);
  await administration.revokeCredential('PHOTOSFIRST');
  await eventually(1000, async () => (await sidecar.directory.caller('PHOTOSFIRST')) === undefined);
  expect((await sidecar.directory.caller('PHOTOSSECOND'))?.tenant.name).toBe('photos');
  await administration.removeTenant('photos');
  await eventually(1000, async () => (await sidecar.directory.caller('PHOTOSSECOND')) === undefined);
});

it('holds to the defaults of its tenant’s buckets, sees their changes within a second, and changes none', async () => {
  const { records, views } = await deployment();
  const key = rootKeyFromText((await views.create('photos')).reveal());
  const sidecar = await openSidecar(key);
  const { tenant } = (await sidecar.directory.caller('PHOTOSFIRST'))!;
  const options = { publish: (name: string) => views.publish(name), readOnly: false };
  const defaults = new BucketDefaultRecords({ records, ...options });
  const inSidecar = new BucketDefaultRecords({ records: sidecar.records, ...options, readOnly: true });
  const held = async () => (await inSidecar.get(tenant, 'photos-a'))?.customerKeys;
  const set = (customerKeys: 'allowed' | 'blocked') => () => {
    const unset = { form: 'managed', keyId: undefined, bucketKey: false, made: undefined } as const;
    return { bucket: 'photos-a', ...unset, setAt: new Date(), customerKeys };
  };
  expect(await held()).toBeUndefined();
  await defaults.change(tenant, 'photos-a', set('blocked'));
  await eventually(1000, async () => (await held()) === 'blocked');
  await defaults.change(tenant, 'photos-a', set('allowed'));
  await eventually(1000, async () => (await held()) === 'allowed');
  await expect(inSidecar.change(tenant, 'photos-a', set('blocked'))).rejects.toMatchObject({ code: 'NotImplemented' });
  const conditions = [{ key: 'method', operator: 'Null', values: ['true'] }] as const;
  const statement = { name: 'Sealed', actions: ['s3:*'], resources: ['photos-a/*'], conditions };
  const policy = { document: '{}', statements: [statement], passes: false, former: [], change: undefined };
  await defaults.change(tenant, 'photos-a', (before) => before && { ...before, policy });
  const policyHeld = async () => (await inSidecar.get(tenant, 'photos-a'))?.policy;
  await eventually(1000, async () => (await policyHeld()) !== undefined);
  expect(await policyHeld()).toEqual(policy);
  await defaults.change(tenant, 'photos-a', () => undefined);
  await eventually(1000, async () => (await held()) === undefined);
});

it('what was ended and could not be published is published when the command is repeated', async () => {
  const { administration, views, records, keyRings } = await deployment();
  const sidecar = await openSidecar(rootKeyFromText((await views.create('photos')).reveal()));
  await administration.addCredential('photos', { accessKeyId: 'PHOTOSSECOND' });
  await eventually(1500, async () => (await sidecar.directory.caller('PHOTOSSECOND')) !== undefined);
  // The command died in between.
  const cutOff = new Administration({ records, keyRings, tenants: TENANT });
  await cutOff.revokeCredential('PHOTOSFIRST');
  await administration.revokeCredential('PHOTOSFIRST');
  await eventually(1500, async () => (await sidecar.directory.caller('PHOTOSFIRST')) === undefined);
  await cutOff.removeTenant('photos');
  await expect(administration.removeTenant('photos')).rejects.toMatchObject({ code: 'InvalidArgument' });
  await eventually(1500, async () => (await sidecar.directory.caller('PHOTOSSECOND')) === undefined);
});

it('can neither change anything nor open what is not its tenant’s', async () => {
  const { views, store, rootKey } = await deployment();
  const [photos, other] = [await views.create('photos'), await views.create('other')];
  expect(photos.equals(other)).toBe(false);
  const key = rootKeyFromText(photos.reveal());
  const sidecar = await openSidecar(key);
  await expect(sidecar.administration.addCredential('photos')).rejects.toThrow('changes nothing');
  await expect(sidecar.administration.revokeCredential('PHOTOSFIRST')).rejects.toThrow('changes nothing');
  for (const name of ['tenant/photos', 'tenant/other', 'credential/OTHERFIRST', 'canary/generations']) {
    const { bytes } = (await store.get(name))!;
    await expect(key.unwrap(name, bytes)).rejects.toThrow('wrapped under the root key with id');
  }
  const theirs = (await store.get(viewPlace('other')))!.bytes;
  await expect(key.unwrap('sidecar/other', theirs)).rejects.toThrow('wrapped under');
  await expect(rootKey.unwrap('sidecar/photos', theirs)).rejects.toThrow('wrapped under');
});

it('its Redis user has what it needs, and reaches nothing else', async () => {
  const { views } = await deployment();
  await views.create('photos');
  const states = await openRedisStates(limited());
  onTestFinished(() => states.close());
  const id = randomBytes(32).toString('hex');
  await states.create(id, [Buffer.from('h')], 60);
  expect(await states.append(id, Buffer.from('p'), 60)).toBe(true);
  await states.countIn('photos', id, 60);
  expect(await states.openUploads('photos')).toBe(1);
  await states.replace(id, [Buffer.from('done')], 60);
  await states.countOut('photos', id);
  expect(await states.delete(id)).toBe(true);
  await expect(states.countIn('other', id, 60)).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
  const index = await openRedisIndex(limited(), 60);
  onTestFinished(() => index.close());
  const name = randomBytes(16);
  await index.write([{ name, entry: Buffer.from('entry') }]);
  expect(await index.read([name])).toEqual([Buffer.from('entry')]);

  const client = redis.client({ username: 'photos', password: 'pass' });
  onTestFinished(() => client.disconnect());
  const view = `sealgate:${viewPlace('photos')}`;
  for (const attempt of [
    () => client.get('sealgate:tenant/other'),
    () => client.get('sealgate:tenant/photos'),
    () => client.get(`sealgate:${viewPlace('other')}`),
    () => client.set(view, 'x'),
    () => client.del(view),
    () => client.eval("return redis.call('DEL', KEYS[1])", 1, view),
    () => client.eval("return redis.call('GET', 'sealgate:tenant/other')", 0),
    () => client.zadd('sealgate:upload/by/other', 1, 'x'),
    () => client.scan(0),
    () => client.keys('*'),
    () => client.client('TRACKING', 'ON', 'BCAST'),
    () => client.flushall(),
    () => client.config('GET', '*'),
  ]) {
    await expect(attempt()).rejects.toThrow(/NOPERM|can't access|can't run/);
  }
});

describe('a view that was put back', () => {
  it('is refused by a sidecar that saw a newer one, and after its restart', async () => {
    const { administration, views, store, rootKey } = await deployment();
    const key = rootKeyFromText((await views.create('photos')).reveal());
    const path = join(await temporaryDirectory(), 'generations.json');
    const remember = async () => {
      const opened = await HighestGeneration.open({ path, id: rootKey.id, onWarning: () => undefined });
      onTestFinished(() => opened.settled());
      return opened;
    };
    const highest = await remember();
    const sidecar = await openSidecar(key, highest);
    const old = (await store.get(viewPlace('photos')))!.bytes;
    await administration.revokeCredential('PHOTOSFIRST');
    await eventually(1500, async () => (await sidecar.directory.caller('PHOTOSFIRST')) === undefined);
    await store.put(viewPlace('photos'), old);
    await eventually(1500, async () => sidecar.putBack.length > 0);
    expect(await sidecar.directory.caller('PHOTOSFIRST')).toBeUndefined();
    expect(sidecar.records.trouble?.message).toContain('put back');
    await highest.settled();
    await expect(openSidecar(key, await remember())).rejects.toThrow('put back');
    // Published anew, it is well.
    await views.create('photos');
    await eventually(1500, async () => sidecar.records.trouble === undefined);
    expect((await openSidecar(key, await remember())).putBack).toEqual([]);
  });

  it('is refused by a sidecar that saw it being taken away', async () => {
    const { views, store } = await deployment();
    const sidecar = await openSidecar(rootKeyFromText((await views.create('photos')).reveal()));
    const old = (await store.get(viewPlace('photos')))!.bytes;
    expect((await sidecar.directory.caller('PHOTOSFIRST'))?.tenant.name).toBe('photos');
    await views.remove('photos');
    await eventually(1500, async () => (await sidecar.directory.caller('PHOTOSFIRST')) === undefined);
    await store.put(viewPlace('photos'), old);
    await eventually(1500, async () => sidecar.putBack.length > 0);
    expect(await sidecar.directory.caller('PHOTOSFIRST')).toBeUndefined();
    await views.remove('photos');
    await views.create('photos');
    await eventually(6000, async () => (await sidecar.directory.caller('PHOTOSFIRST')) !== undefined);
  });

  it('of an earlier tenant of the name does not open', async () => {
    const { administration, views, store } = await deployment();
    const first = rootKeyFromText((await views.create('photos')).reveal());
    const old = (await store.get(viewPlace('photos')))!.bytes;
    await administration.removeTenant('photos');
    expect(await store.get(viewPlace('photos'))).toBeUndefined();
    await expect(openSidecar(first)).rejects.toThrow('tenant wrap-key photos');
    await administration.addTenant({ name: 'photos', buckets: ['photos-*'] });
    const second = rootKeyFromText((await views.create('photos')).reveal());
    expect(second.id).not.toBe(first.id);
    await openSidecar(second);
    await store.put(viewPlace('photos'), old);
    await expect(openSidecar(second)).rejects.toMatchObject({ record: 'sidecar/photos' });
  });
});

it('a Redis whose memory is full keeps nobody from revoking, for sidecars neither, and takes nothing new', async () => {
  const { administration, views, store, rootKey } = await deployment();
  const sidecar = await openSidecar(rootKeyFromText((await views.create('photos')).reveal()));
  const client = redis.client();
  onTestFinished(async () => {
    await client.config('SET', 'maxmemory', '0');
    client.disconnect();
  });
  await client.config('SET', 'maxmemory', '1');
  const added = await Promise.allSettled([
    administration.addCredential('photos'),
    administration.addTenant({ name: 'third', buckets: ['third-*'] }),
  ]);
  for (const each of added) expect(each.status === 'rejected' && isOutOfMemory(each.reason)).toBe(true);
  await administration.revokeCredential('PHOTOSFIRST');
  expect(await store.get('credential/PHOTOSFIRST')).toBeUndefined();
  await eventually(1500, async () => (await sidecar.directory.caller('PHOTOSFIRST')) === undefined);
  // Its claim on buckets stays until there is room.
  expect(isOutOfMemory(await administration.removeTenant('other').catch((error: unknown) => error))).toBe(true);
  const later = await openTenancy({ store: await openStore(owner()), rootKey });
  expect((await later.administration.listTenants()).map(({ name }) => name)).toEqual(['photos']);
  expect(await later.administration.listCredentials()).toEqual([]);
  await client.config('SET', 'maxmemory', '0');
  await administration.removeTenant('other');
  await administration.addTenant({ name: 'third', buckets: ['other-*'] });
  await startUpSelfTest({ records: later.records, kinds: ALL_RECORD_KINDS, now: () => new Date() });
  expect(later.warnings).toEqual([]);
});

it('the deployment passes over views: they are no records of its own', async () => {
  const { views, records, rootKey } = await deployment();
  await views.create('photos');
  const again = await openTenancy({ store: await openStore(owner()), rootKey });
  await startUpSelfTest({ records: again.records, kinds: ALL_RECORD_KINDS, now: () => new Date() });
  expect(await records.unlisted()).toEqual([]);
  expect((await records.names()).filter((name) => name.includes('sidecar'))).toEqual([]);
});
