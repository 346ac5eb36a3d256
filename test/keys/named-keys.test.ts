import { describe, expect, it, test } from 'vitest';
import { isKeyName, isNamedRingOf, NAMED_RING, namedRingId } from '../../src/keys/key-names.ts';
import { RING } from '../../src/keys/key-ring.ts';
import { TenantViewStore } from '../../src/keys/ledger/tenant-view-store.ts';
import { isRecordId, parseRecordName, recordName } from '../../src/keys/record-name.ts';
import { rootKeyFromText } from '../../src/keys/root/root-key.ts';
import { CANARY, startUpSelfTest } from '../../src/keys/self-test.ts';
import { RevisionConflict } from '../../src/keys/store/record-store.ts';
import { PublishedAdministration } from '../../src/tenants/published-administration.ts';
import { SidecarViews } from '../../src/tenants/sidecar-views.ts';
import { ALL_RECORD_KINDS, openTenancy, TENANT } from '../tenants/fixture.ts';
import { openFileStoreHere, openKeys, randomRootKey } from './fixture.ts';

const here = async () => openKeys({ store: await openFileStoreHere(), rootKey: randomRootKey() });
const LONGEST = 'k'.repeat(128);

describe('the names of keys', () => {
  it.each(['cards', 'a', 'Payments/cards_2026-12', 'key/cards', LONGEST])('may be %s', (name) => {
    expect(isKeyName(name)).toBe(true);
  });

  it.each(['', `${LONGEST}k`, 'alias/cards', 'aws/s3', 'a b', 'a:b', 'é', 'a.b', 'a\n'])('may not be %j', (name) => {
    expect(isKeyName(name)).toBe(false);
  });

  it('are told apart by tenant, also where one tenant’s name begins another’s', () => {
    expect(namedRingId('a', 'cards')).toMatch(/^key\.a\.[0-9a-f]{32}$/);
    expect(isNamedRingOf('a', namedRingId('a', 'cards'))).toBe(true);
    const other = `a.${namedRingId('a', 'cards').slice(-32)}`;
    expect(isNamedRingOf('a', namedRingId(other, 'cards'))).toBe(false);
    expect(isNamedRingOf('a', 'root-key')).toBe(false);
  });
});

describe('a named key', () => {
  it('is found by its tenant and name, and by no other', async () => {
    const { keyRings } = await here();
    const ring = await keyRings.createNamed('acme', 'cards');
    expect(ring).toMatchObject({ tenant: 'acme', name: 'cards', state: 'enabled', current: 1 });
    expect(await keyRings.named('acme', 'cards')).toBe(await keyRings.current(ring.id));
    expect(await keyRings.named('acme', 'cards')).toMatchObject({ name: 'cards', tenant: 'acme', state: 'enabled' });
    for (const [tenant, name] of [
      ['beta', 'cards'],
      ['acme', 'Cards'],
      ['acme', 'alias/cards'],
      ['acme', ''],
    ] as const) {
      expect(await keyRings.named(tenant, name)).toBeUndefined();
    }
  });

  it('has its name once: a second one of the name is refused, and leaves no ring', async () => {
    const { keyRings } = await here();
    await keyRings.createNamed('acme', 'cards');
    await expect(keyRings.createNamed('acme', 'cards')).rejects.toThrow(RevisionConflict);
    const both = await Promise.allSettled(['x', 'x'].map((name) => keyRings.createNamed('acme', name)));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await keyRings.createNamed('beta', 'cards');
    expect(await keyRings.list()).toHaveLength(3);
    expect([await keyRings.countNamed('acme'), await keyRings.countNamed('beta')]).toEqual([2, 1]);
  });

  it('keeps its name when it is rotated', async () => {
    const { keyRings } = await here();
    const { id } = await keyRings.createNamed('acme', 'cards');
    expect(await keyRings.rotate(id)).toMatchObject({ name: 'cards', current: 2 });
    expect(await keyRings.named('acme', 'cards')).toMatchObject({ ringId: id, version: 2 });
  });

  it('is not one whose record names the ring of another tenant or of another name', async () => {
    const { keyRings, records } = await here();
    const rings = [await keyRings.createNamed('beta', 'cards'), await keyRings.createNamed('acme', 'payroll')];
    rings.push(await keyRings.create('acme'));
    for (const { id: ringId } of rings) {
      const named = { tenant: 'acme', name: 'cards', ringId, createdAt: new Date() };
      await records.put(NAMED_RING, namedRingId('acme', 'cards'), named);
      expect(await keyRings.named('acme', 'cards')).toBeUndefined();
    }
  });

  it('is gone when its ring is', async () => {
    const { keyRings } = await here();
    const { id } = await keyRings.createNamed('acme', 'cards');
    await keyRings.remove(id);
    expect(await keyRings.named('acme', 'cards')).toBeUndefined();
  });

  it('is seen by another gateway over the same store, and costs it no request the second time', async () => {
    const [store, rootKey] = [await openFileStoreHere(), randomRootKey()];
    const [one, two] = [await openKeys({ store, rootKey }), await openKeys({ store, rootKey })];
    expect(await two.keyRings.named('acme', 'cards')).toBeUndefined();
    await one.keyRings.createNamed('acme', 'cards');
    await expect.poll(() => two.keyRings.named('acme', 'cards'), { timeout: 1000 }).toMatchObject({ name: 'cards' });
    const { 'get ok': reads } = two.observer.counts;
    for (let i = 0; i < 20; i++) await two.keyRings.named('acme', 'cards');
    expect(two.observer.counts['get ok']).toBe(reads);
  });
});

test('the record of a name is a canary to gateways that know no named keys, and they start over it', () => {
  const createdAt = new Date('2026-01-02T03:04:05.000Z');
  const record = NAMED_RING.encode({ tenant: 'acme', name: 'cards', ringId: '0011223344556677', createdAt });
  const id = namedRingId('acme', 'cards');
  expect(NAMED_RING.name).toBe(CANARY.name);
  expect(parseRecordName(recordName(NAMED_RING.name, id))).toEqual({ kind: CANARY.name, id });
  expect(CANARY.decode(record, id)).toEqual({ createdAt: createdAt.toISOString() });
  expect(NAMED_RING.decode(record, id)).toEqual({
    tenant: 'acme',
    name: 'cards',
    ringId: '0011223344556677',
    createdAt,
  });
  // The longest names of tenants leave room enough.
  expect(isRecordId(namedRingId('t'.repeat(63), LONGEST))).toBe(true);
});

describe('the record of a ring', () => {
  const version = { version: 1, createdAt: '2026-01-02T03:04:05.000Z', key: Buffer.alloc(32, 7).toString('base64') };
  const old = { id: '0011223344556677', tenant: 'acme', current: 1, versions: [version] };

  it('from before there were names is a default ring that is enabled, and is written as it was', () => {
    const ring = RING.decode(old, old.id);
    expect(ring).toMatchObject({ name: undefined, state: 'enabled' });
    expect(RING.encode(ring)).toStrictEqual(old);
  });

  it('has name and state, and refuses a state that it does not know', () => {
    const record = { ...old, name: 'cards', state: 'decrypt-only' };
    const ring = RING.decode(record, old.id);
    expect(ring.currentKek).toMatchObject({ name: 'cards', state: 'decrypt-only' });
    expect(RING.encode(ring)).toEqual(record);
    expect(() => RING.decode({ ...old, state: 'asleep' }, old.id)).toThrow('its field state is missing or wrong');
  });
});

describe('a tenant’s named keys', () => {
  it('are made by an administrator, who is told what is wrong', async () => {
    const { administration } = await openTenancy();
    await administration.addTenant({ name: 'acme', buckets: ['acme-*'] });
    expect(await administration.addKey('acme', 'cards')).toMatchObject({ tenant: 'acme', name: 'cards' });
    const refusal = { code: 'InvalidArgument' };
    await expect(administration.addKey('acme', 'cards')).rejects.toMatchObject({
      ...refusal,
      message: 'The tenant acme has a key named cards already.',
    });
    await expect(administration.addKey('beta', 'cards')).rejects.toMatchObject({
      ...refusal,
      message: 'There is no tenant beta.',
    });
    for (const name of ['', 'alias/cards', 'aws/s3']) {
      await expect(administration.addKey('acme', name)).rejects.toMatchObject({
        ...refusal,
        message: expect.stringContaining(`The key name "${name}" must be`),
      });
    }
    expect((await administration.listKeys('acme')).map(({ name }) => name)).toEqual([undefined, 'cards']);
  });

  it('are 10,000 at most', async () => {
    const { administration, keyRings } = await openTenancy();
    await administration.addTenant({ name: 'acme', buckets: ['acme-*'] });
    keyRings.countNamed = async () => 10_000;
    await expect(administration.addKey('acme', 'cards')).rejects.toMatchObject({
      code: 'InvalidArgument',
      message: 'The tenant acme has 10000 named keys, and can have no more.',
    });
  });

  it('go with the tenant where its keys are destroyed, and stay and work again where they are kept', async () => {
    const { administration, keyRings, records } = await openTenancy();
    const buckets = ['acme-*'];
    await administration.addTenant({ name: 'acme', buckets });
    await administration.addTenant({ name: 'beta', buckets: ['beta-*'] });
    const { id } = await administration.addKey('acme', 'cards');
    await administration.addKey('beta', 'cards');
    await administration.removeTenant('acme');
    const { tenant } = await administration.addTenant({ name: 'acme', buckets });
    expect(await keyRings.named('acme', 'cards')).toMatchObject({ ringId: id });
    const { destroyedRings } = await administration.removeTenant('acme', { destroyKeys: true });
    expect(destroyedRings).toContain(id);
    expect(destroyedRings).toContain(tenant.ringId);
    expect(await keyRings.named('acme', 'cards')).toBeUndefined();
    expect(await keyRings.countNamed('acme')).toBe(0);
    expect((await records.names()).filter((name) => name.includes('acme'))).toEqual([]);
    expect(await keyRings.named('beta', 'cards')).toMatchObject({ tenant: 'beta' });
  });

  it('are in the view that the tenant’s sidecars read, and those of others are not', async () => {
    const [store, rootKey] = [await openFileStoreHere(), randomRootKey()];
    const { records, keyRings } = await openTenancy({ store, rootKey });
    const views = new SidecarViews({ store, records, tenants: TENANT, rootKey, now: () => new Date() });
    const administration = new PublishedAdministration({ records, keyRings, tenants: TENANT, views });
    for (const name of ['photos', 'other']) await administration.addTenant({ name, buckets: [`${name}-*`] });
    const key = rootKeyFromText((await views.create('photos')).reveal());
    const { id } = await administration.addKey('photos', 'cards');
    await administration.addKey('other', 'cards');
    const highest = undefined;
    const view = await TenantViewStore.open({
      ...{ store, key, tenant: 'photos', highest },
      monotonicNow: () => performance.now(),
      onPutBack: () => undefined,
    });
    const sidecar = await openTenancy({ store: view, rootKey: key });
    expect(await sidecar.keyRings.named('photos', 'cards')).toMatchObject({ ringId: id, tenant: 'photos' });
    expect(await sidecar.keyRings.named('other', 'cards')).toBeUndefined();
    expect(await sidecar.keyRings.countNamed('other')).toBe(0);
  });

  it('are read at the start like all other records, and warm', async () => {
    const { administration, directory, keyRings, observer, records } = await openTenancy();
    await administration.addTenant({ name: 'acme', buckets: ['acme-*'] });
    await administration.addKey('acme', 'cards');
    await startUpSelfTest({ records, kinds: ALL_RECORD_KINDS, now: () => new Date() });
    await directory.warm();
    const { 'get ok': reads } = observer.counts;
    await keyRings.named('acme', 'cards');
    expect(observer.counts['get ok']).toBe(reads);
  });
});
