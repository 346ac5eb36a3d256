import { describe, expect, it } from 'vitest';
import { LEDGER_NAME } from '../../src/keys/record-name.ts';
import { Secret } from '../../src/secret.ts';
import { sorted } from '../keys/eventually.ts';
import { openFileStoreHere, randomRootKey } from '../keys/fixture.ts';
import { MemoryStore } from '../keys/memory-store.ts';
import { openTenancy } from './fixture.ts';

const INVALID = { code: 'InvalidArgument', source: 'client' };

describe('tenants', () => {
  it('are made with a ring, policies and an access key of AWS’s shape', async () => {
    const { administration, directory, keyRings } = await openTenancy();
    const { tenant, accessKeyId, secret } = await administration.addTenant({ name: 'acme', buckets: ['acme-*'] });
    expect(accessKeyId).toMatch(/^SG[A-Z2-7]{18}$/);
    expect(secret.reveal()).toMatch(/^[A-Za-z0-9]{40}$/);
    expect(tenant).toMatchObject({
      name: 'acme',
      buckets: [{ pattern: 'acme-*', protection: 'seal', location: 'enforce' }],
    });
    expect((await keyRings.current(tenant.ringId)).tenant).toBe('acme');
    const caller = await directory.caller(accessKeyId);
    expect(caller).toMatchObject({ accessKeyId, tenant: { name: 'acme', ringId: tenant.ringId } });
    expect(caller?.secret.equals(secret)).toBe(true);
    expect(await administration.listTenants()).toEqual([caller?.tenant]);
    expect(JSON.stringify(await administration.listCredentials('acme'))).not.toContain(secret.reveal());
  });

  it('take the access keys that applications have already', async () => {
    const { administration, directory } = await openTenancy();
    await administration.addTenant({
      name: 'acme',
      buckets: ['a'],
      accessKeyId: 'minioadmin',
      secret: 'min+io/ad=min',
    });
    expect((await directory.caller('minioadmin'))?.secret.reveal()).toBe('min+io/ad=min');
  });

  it.each(['', 'Acme', 'a b', '-a', 'a/b', '../a', 'x'.repeat(64), 'ü'])('refuse the name %j', async (name) => {
    const { administration, store } = await openTenancy();
    await expect(administration.addTenant({ name, buckets: ['a'] })).rejects.toMatchObject(INVALID);
    expect(await sorted(store.list(''))).toEqual([]);
  });

  it.each([
    [{ accessKeyId: 'ab' }],
    [{ accessKeyId: 'a/b/c' }],
    [{ accessKeyId: 'with space' }],
    [{ accessKeyId: '-dash' }],
    [{ accessKeyId: 'x'.repeat(129) }],
    [{ secret: 'short12' }],
    [{ secret: 'with spaces in it' }],
    [{ secret: 'ünïcödé-secret' }],
    [{ secret: 'x'.repeat(129) }],
  ])(
    'refuse the credential %j, without repeating a secret',
    async (credential: { accessKeyId?: string; secret?: string }) => {
      const { administration, store } = await openTenancy();
      const added = administration.addTenant({ name: 'acme', buckets: ['a'], ...credential });
      await expect(added).rejects.toMatchObject(INVALID);
      if (credential.secret !== undefined) await expect(added).rejects.not.toThrow(credential.secret);
      expect(await sorted(store.list(''))).toEqual([]);
    },
  );

  it('refuse patterns that overlap another tenant’s, naming it, and leave nothing behind', async () => {
    const { administration, store } = await openTenancy();
    await administration.addTenant({ name: 'acme', buckets: ['acme-*', 'shared'] });
    const before = await sorted(store.list(''));
    const overlap = administration.addTenant({ name: 'beta', buckets: ['beta', '*-logs'] });
    await expect(overlap).rejects.toMatchObject(INVALID);
    await expect(overlap).rejects.toThrow('The bucket pattern *-logs overlaps acme-*, which is the tenant acme’s');
    const same = administration.addTenant({ name: 'beta', buckets: ['shared'] });
    await expect(same).rejects.toThrow('The bucket pattern shared is the tenant acme’s');
    expect(await sorted(store.list(''))).toEqual(before);
    await administration.addTenant({ name: 'beta', buckets: ['beta'] });
  });

  it('may overlap themselves, but not repeat a pattern', async () => {
    const { administration } = await openTenancy();
    await administration.addTenant({ name: 'acme', buckets: ['acme-*', { pattern: 'acme-open', protection: 'none' }] });
    await expect(administration.addTenant({ name: 'beta', buckets: ['b', 'b'] })).rejects.toThrow('is there twice');
    await expect(administration.addTenant({ name: 'beta', buckets: [] })).rejects.toThrow(
      'at least one bucket pattern',
    );
  });

  it('of one name are made once, by many at once', async () => {
    const { administration, store } = await openTenancy();
    const adds = Array.from({ length: 4 }, (_, i) => administration.addTenant({ name: 'acme', buckets: [`b${i}`] }));
    const settled = await Promise.allSettled(adds);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const each of settled) {
      if (each.status === 'rejected')
        expect(each.reason).toMatchObject({ ...INVALID, message: 'The tenant acme exists already.' });
    }
    const kinds = (await sorted(store.list(''))).map((name) => name.split('/')[0]);
    expect(kinds).toEqual(['bucket-claims', 'canary', 'credential', 'ring', 'tenant']);
  });

  it('with overlapping patterns are never both made, by two at once', async () => {
    const { administration } = await openTenancy();
    const names = ['a', 'b', 'c', 'd'];
    const settled = await Promise.allSettled(
      names.map((name) => administration.addTenant({ name, buckets: ['data-*'] })),
    );
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await administration.listTenants()).toHaveLength(1);
  });

  it('do not share an access key', async () => {
    const { administration, directory } = await openTenancy();
    await administration.addTenant({ name: 'acme', buckets: ['a'], accessKeyId: 'SHAREDKEY' });
    const second = administration.addTenant({ name: 'beta', buckets: ['b'], accessKeyId: 'SHAREDKEY' });
    await expect(second).rejects.toThrow('The access key SHAREDKEY is taken already.');
    expect((await administration.listTenants()).map(({ name }) => name)).toEqual(['acme']);
    await administration.addTenant({ name: 'beta', buckets: ['b'] });
    await expect(administration.addCredential('beta', { accessKeyId: 'SHAREDKEY' })).rejects.toMatchObject(INVALID);
    expect((await directory.caller('SHAREDKEY'))?.tenant.name).toBe('acme');
  });

  it('are removed with their access keys and claims; keys stay for their objects', async () => {
    const { administration, directory, keyRings } = await openTenancy();
    const { accessKeyId, tenant } = await administration.addTenant({ name: 'acme', buckets: ['a'] });
    await directory.caller(accessKeyId);
    expect(await administration.removeTenant('acme')).toEqual({ credentials: [accessKeyId], destroyedRings: [] });
    expect(await directory.caller(accessKeyId)).toBeUndefined();
    expect((await keyRings.kek(tenant.ringId, 1)).version).toBe(1);
    expect((await administration.listKeys('acme')).map(({ id }) => id)).toEqual([tenant.ringId]);
    await administration.addTenant({ name: 'beta', buckets: ['a'] });
    await expect(administration.removeTenant('acme')).rejects.toThrow('There is no tenant acme.');
  });

  it('are removed with their keys when asked', async () => {
    const { administration, keyRings, store } = await openTenancy();
    const { tenant } = await administration.addTenant({ name: 'acme', buckets: ['a'] });
    await administration.addTenant({ name: 'beta', buckets: ['b'] });
    const removed = await administration.removeTenant('acme', { destroyKeys: true });
    expect(removed.destroyedRings).toEqual([tenant.ringId]);
    await expect(keyRings.kek(tenant.ringId, 1)).rejects.toMatchObject({ code: 'KeyUnavailable' });
    const kinds = (await sorted(store.list(''))).map((name) => name.split('/')[0]);
    expect(kinds).toEqual(['bucket-claims', 'canary', 'credential', 'ring', 'tenant']);
  });

  it('are removed with many keys in a few changes of the ledger, which is as long as there are records', async () => {
    const store = new MemoryStore();
    let ledgers = 0;
    const put = store.put.bind(store);
    store.put = (name, ...rest) => {
      if (name === LEDGER_NAME) ledgers++;
      return put(name, ...rest);
    };
    const { administration, keyRings } = await openTenancy({ store });
    await administration.addTenant({ name: 'acme', buckets: ['a'] });
    await administration.addTenant({ name: 'beta', buckets: ['b'] });
    const theirs = await administration.addKey('beta', 'cards');
    for (let key = 0; key < 60; key++) await administration.addKey('acme', `key-${key}`);
    ledgers = 0;
    const { destroyedRings } = await administration.removeTenant('acme', { destroyKeys: true });
    expect(destroyedRings).toHaveLength(61);
    expect(ledgers).toBeLessThanOrEqual(12);
    expect(await keyRings.countNamed('acme')).toBe(0);
    expect((await administration.listKeys()).map(({ tenant }) => tenant)).toEqual(['beta', 'beta']);
    expect((await keyRings.named('beta', 'cards'))?.ringId).toBe(theirs.id);
  });

  it('made again take up the ring that they left, and no other’s', async () => {
    const { administration } = await openTenancy();
    const { tenant } = await administration.addTenant({ name: 'acme', buckets: ['a'] });
    await administration.removeTenant('acme');
    const again = await administration.addTenant({ name: 'acme', buckets: ['a'], ringId: tenant.ringId });
    expect(again.tenant.ringId).toBe(tenant.ringId);
    const stolen = administration.addTenant({ name: 'beta', buckets: ['b'], ringId: tenant.ringId });
    await expect(stolen).rejects.toThrow(`There is no key ring ${tenant.ringId} of a tenant beta.`);
  });

  it('change their buckets, within what others have', async () => {
    const { administration, directory } = await openTenancy();
    const { accessKeyId } = await administration.addTenant({ name: 'acme', buckets: ['a-*', 'b'] });
    await administration.addTenant({ name: 'beta', buckets: ['c'] });
    await expect(administration.changeTenant('acme', { buckets: ['c*'] })).rejects.toThrow('the tenant beta’s');
    await administration.changeTenant('acme', { buckets: ['a-*', { pattern: 'd', mixed: true }] });
    expect((await directory.caller(accessKeyId))?.tenant.buckets).toMatchObject([
      { pattern: 'a-*' },
      { pattern: 'd', mixed: true },
    ]);
    await administration.changeTenant('beta', { buckets: ['c', 'b'] });
    await expect(administration.changeTenant('beta', { buckets: ['a-1'] })).rejects.toThrow('the tenant acme’s');
    await expect(administration.changeTenant('nobody', { buckets: ['x'] })).rejects.toThrow(
      'There is no tenant nobody.',
    );
  });

  it('change one setting and keep the others', async () => {
    const { administration, directory } = await openTenancy();
    const { accessKeyId } = await administration.addTenant({ name: 'acme', buckets: ['a'] });
    const tenant = async () => (await directory.caller(accessKeyId))?.tenant;
    expect(await tenant()).toMatchObject({ legacySignatures: 'none', backend: undefined });
    await administration.changeTenant('acme', { legacySignatures: 'all' });
    expect(await tenant()).toMatchObject({ legacySignatures: 'all', buckets: [{ pattern: 'a' }] });
    await administration.changeTenant('acme', { backend: { accessKeyId: 'user', secret: new Secret('planted') } });
    await administration.changeTenant('acme', { buckets: ['b'] });
    const { backend, ...rest } = (await tenant()) ?? {};
    expect(rest).toMatchObject({ legacySignatures: 'all', buckets: [{ pattern: 'b' }] });
    expect([backend?.accessKeyId, backend?.secret.reveal()]).toEqual(['user', 'planted']);
    await administration.changeTenant('acme', { legacySignatures: 'none', backend: null });
    expect(await tenant()).toMatchObject({ legacySignatures: 'none', backend: undefined });
  });

  it('refuse a backend key that could not sign, without quoting its secret', async () => {
    const { administration } = await openTenancy();
    await administration.addTenant({ name: 'acme', buckets: ['a'] });
    for (const [accessKeyId, secret] of [
      ['', 'secret'],
      ['a/b', 'secret'],
      ['a,b', 'secret'],
      ['a b', 'secret'],
      ['ab', ''],
      ['ab', 'planted\u00e9'],
      ['ab', 'planted\n'],
    ] as const) {
      const backend = { accessKeyId, secret: new Secret(secret) };
      const change = administration.changeTenant('acme', { backend });
      await expect(change).rejects.toMatchObject(INVALID);
      await expect(change).rejects.not.toThrow('planted');
      await expect(administration.addCredential('acme', { backend })).rejects.toMatchObject(INVALID);
    }
  });

  it('rotate their key', async () => {
    const { administration, keyRings } = await openTenancy();
    const { tenant } = await administration.addTenant({ name: 'acme', buckets: ['a'] });
    expect(await administration.rotateKey('acme')).toMatchObject({ id: tenant.ringId, current: 2 });
    expect((await keyRings.current(tenant.ringId)).version).toBe(2);
    await expect(administration.rotateKey('nobody')).rejects.toMatchObject(INVALID);
  });
});

describe('credentials', () => {
  it('are added and revoked one by one', async () => {
    const { administration, directory } = await openTenancy();
    const first = await administration.addTenant({ name: 'acme', buckets: ['a'] });
    const second = await administration.addCredential('acme', { accessKeyId: 'SECOND' });
    expect(second.secret.reveal()).toHaveLength(40);
    expect(await administration.listCredentials('acme')).toHaveLength(2);
    expect(await administration.listCredentials('other')).toEqual([]);
    await directory.caller(first.accessKeyId);
    expect(await administration.revokeCredential(first.accessKeyId)).toBe(true);
    expect(await administration.revokeCredential(first.accessKeyId)).toBe(false);
    expect(await administration.revokeCredential('../tenant/acme')).toBe(false);
    expect(await directory.caller(first.accessKeyId)).toBeUndefined();
    expect((await directory.caller('SECOND'))?.tenant.name).toBe('acme');
    await expect(administration.addCredential('nobody')).rejects.toThrow('There is no tenant nobody.');
  });

  it('get a backend key of their own, change it and lose it', async () => {
    const { administration, directory } = await openTenancy();
    await administration.addTenant({ name: 'acme', buckets: ['a'] });
    const backend = { accessKeyId: 'user', secret: new Secret('planted') };
    const { accessKeyId } = await administration.addCredential('acme', { backend });
    const listed = async () => (await administration.listCredentials()).map(({ backendAccessKeyId: id }) => id);
    expect((await listed()).toSorted()).toEqual(['user', undefined]);
    expect(JSON.stringify(await administration.listCredentials())).not.toContain('planted');
    await administration.changeCredential(accessKeyId, { backend: { ...backend, accessKeyId: 'other' } });
    expect(await listed()).toContain('other');
    await administration.changeCredential(accessKeyId, { backend: null });
    expect(await listed()).toEqual([undefined, undefined]);
    expect((await directory.caller(accessKeyId))?.tenant.name).toBe('acme');
    await expect(administration.changeCredential('NOBODY', { backend: null })).rejects.toThrow(
      'There is no access key NOBODY.',
    );
  });

  it('of a removed tenant stay dead when one of the same name is made', async () => {
    const { administration, directory, store } = await openTenancy();
    const { accessKeyId } = await administration.addTenant({ name: 'acme', buckets: ['a'] });
    const old = await store.get(`credential/${accessKeyId}`);
    await administration.removeTenant('acme');
    await administration.addTenant({ name: 'acme', buckets: ['a'] });
    await store.put(`credential/${accessKeyId}`, old!.bytes); // left over by a crash, or put back by an attacker
    expect(await directory.caller(accessKeyId)).toBeUndefined();
  });
});

describe('the directory', () => {
  it.each(['', 'ab', 'a b c', '../x/y', 'x'.repeat(200), 'key\u0000null', 'UNKNOWNKEY'])(
    'knows nobody with the access key %j',
    async (accessKeyId) => {
      const { directory } = await openTenancy();
      expect(await directory.caller(accessKeyId)).toBeUndefined();
    },
  );

  it('answers from the cache: the same tenant object, no request to the store', async () => {
    const { administration, directory, observer } = await openTenancy();
    const { accessKeyId } = await administration.addTenant({ name: 'acme', buckets: ['a'] });
    const caller = await directory.caller(accessKeyId);
    const reads = observer.counts['get ok'];
    for (let i = 0; i < 100; i++) expect((await directory.caller(accessKeyId))?.tenant).toBe(caller?.tenant);
    expect(observer.counts['get ok']).toBe(reads);
  });

  it('refuses a credential record that was swapped for another tenant’s', async () => {
    const [store, rootKey] = [await openFileStoreHere(), randomRootKey()];
    const { administration } = await openTenancy({ store, rootKey });
    const alice = await administration.addTenant({ name: 'alice', buckets: ['a'] });
    const mallory = await administration.addTenant({ name: 'mallory', buckets: ['m'] });
    await store.put(`credential/${alice.accessKeyId}`, (await store.get(`credential/${mallory.accessKeyId}`))!.bytes);
    const { directory } = await openTenancy({ store, rootKey });
    await expect(directory.caller(alice.accessKeyId)).rejects.toThrow(`credential/${alice.accessKeyId}`);
  });

  it('finds whose a bucket is, from the cache', async () => {
    const { administration, directory, observer } = await openTenancy();
    expect(await directory.owner('acme-x')).toBeUndefined();
    const { tenant } = await administration.addTenant({ name: 'acme', buckets: ['acme-*'] });
    expect(await directory.owner('acme-x')).toEqual(
      await directory.caller((await administration.listCredentials())[0]!.accessKeyId).then((caller) => caller?.tenant),
    );
    await administration.addTenant({ name: 'beta', buckets: ['beta', { pattern: 'be-*', anonymous: true }] });
    expect([await directory.owner('beta'), await directory.owner('be-x')].map((each) => each?.name)).toEqual([
      ...['beta', 'beta'],
    ]);
    const reads = observer.counts['get ok'];
    for (let at = 0; at < 100; at++) expect((await directory.owner('acme-x'))?.id).toBe(tenant.id);
    for (let at = 0; at < 100; at++) expect(await directory.owner(`nobodys-${at}`)).toBeUndefined();
    expect(observer.counts['get ok']).toBe(reads);
    await administration.changeTenant('acme', { buckets: ['other'] });
    expect(await directory.owner('acme-x')).toBeUndefined();
    expect((await directory.owner('other'))?.name).toBe('acme');
    await administration.removeTenant('acme');
    expect(await directory.owner('other')).toBeUndefined();
  });

  it('warms the cache for the time when the store is away', async () => {
    const [store, rootKey] = [await openFileStoreHere(), randomRootKey()];
    const { administration } = await openTenancy({ store, rootKey });
    const { accessKeyId, tenant } = await administration.addTenant({ name: 'acme', buckets: ['a'] });
    const { directory, keyRings, observer } = await openTenancy({ store, rootKey });
    await directory.warm();
    const reads = observer.counts['get ok'];
    await directory.caller(accessKeyId);
    await keyRings.current(tenant.ringId);
    expect(observer.counts['get ok']).toBe(reads);
  });
});
