import { describe, expect, it } from 'vitest';
import { RING } from '../../src/keys/key-ring.ts';
import { KeyRings } from '../../src/keys/key-rings.ts';
import { LEDGER_NAME } from '../../src/keys/record-name.ts';
import { Records } from '../../src/keys/records.ts';
import type { RecordStore, StoredRecord } from '../../src/keys/store/record-store.ts';
import { openFileStoreHere, openKeys, randomRootKey } from './fixture.ts';

const UNKNOWN = '0123456789abcdef';

describe('key rings', () => {
  it('makes a ring whose key is the same after a restart', async () => {
    const [store, rootKey] = [await openFileStoreHere(), randomRootKey()];
    const { keyRings } = await openKeys({ store, rootKey });
    const ring = await keyRings.create('acme');
    expect(ring).toMatchObject({ id: expect.stringMatching(/^[0-9a-f]{16}$/), tenant: 'acme', current: 1 });
    const kek = await keyRings.current(ring.id);
    expect(kek).toMatchObject({ ringId: ring.id, version: 1, tenant: 'acme' });
    expect(kek.key.symmetricKeySize).toBe(32);
    const { keyRings: later } = await openKeys({ store, rootKey });
    expect((await later.kek(ring.id, 1)).key.equals(kek.key)).toBe(true);
  });

  it('gives the same Kek object from the cache: no parsing, no unwrapping, no store', async () => {
    const { keyRings, observer } = await openKeys({ store: await openFileStoreHere(), rootKey: randomRootKey() });
    const ring = await keyRings.create('acme');
    const kek = await keyRings.current(ring.id);
    const { 'get ok': reads } = observer.counts;
    for (let i = 0; i < 100; i++) {
      expect(await keyRings.current(ring.id)).toBe(kek);
      expect(await keyRings.kek(ring.id, 1)).toBe(kek);
    }
    expect(observer.counts['get ok']).toBe(reads);
    expect(observer.counts.hit).toBe(200);
  });

  it('rotates: new objects under the new version, old ones still open', async () => {
    const { keyRings } = await openKeys({ store: await openFileStoreHere(), rootKey: randomRootKey() });
    const { id } = await keyRings.create('acme');
    const first = await keyRings.current(id);
    expect(await keyRings.rotate(id)).toMatchObject({ current: 2, versions: [{ version: 1 }, { version: 2 }] });
    const second = await keyRings.current(id);
    expect(second.version).toBe(2);
    expect(second.key.equals(first.key)).toBe(false);
    expect((await keyRings.kek(id, 1)).key.equals(first.key)).toBe(true);
  });

  it('finds a version that another gateway made a moment ago, before its change was heard', async () => {
    const [store, rootKey] = [withoutWatch(await openFileStoreHere()), randomRootKey()];
    const [one, two] = [await openKeys({ store, rootKey }), await openKeys({ store, rootKey })];
    const { id } = await one.keyRings.create('acme');
    await two.keyRings.current(id);
    await one.keyRings.rotate(id);
    const keks = await Promise.all([two.keyRings.kek(id, 2), two.keyRings.kek(id, 2)]);
    expect(keks[0]).toBe(keks[1]);
    expect(await two.keyRings.kek(id, 2)).toBe(keks[0]);
    expect((await two.keyRings.current(id)).version).toBe(2);
  });

  it('asks the store about forged versions of a real ring at most once a second', async () => {
    const { keyRings, observer, clock } = await openKeys({
      store: await openFileStoreHere(),
      rootKey: randomRootKey(),
    });
    const { id } = await keyRings.create('acme');
    await keyRings.current(id);
    const before = observer.counts['get ok'] ?? 0;
    for (let version = 2; version < 50; version++) {
      await expect(keyRings.kek(id, version)).rejects.toMatchObject({ code: 'KeyUnavailable', source: 'keys' });
    }
    expect(observer.counts['get ok']).toBe(before + 1);
    clock.advance(1);
    await expect(keyRings.kek(id, 2)).rejects.toMatchObject({ code: 'KeyUnavailable' });
    expect(observer.counts['get ok']).toBe(before + 2);
  });

  it.each([UNKNOWN, '', '../tenant/acme', UNKNOWN.toUpperCase(), `${UNKNOWN}0`])('has no ring %j', async (id) => {
    const { keyRings } = await openKeys({ store: await openFileStoreHere(), rootKey: randomRootKey() });
    await expect(keyRings.current(id)).rejects.toMatchObject({ code: 'KeyUnavailable', source: 'keys' });
    await expect(keyRings.kek(id, 1)).rejects.toMatchObject({ code: 'KeyUnavailable', source: 'keys' });
  });

  it('does not announce a ring that the store took and cannot give back', async () => {
    const file = await openFileStoreHere();
    const forgetful: RecordStore = { ...verbs(file), get: async () => undefined };
    const { keyRings } = await openKeys({ store: forgetful, rootKey: randomRootKey() });
    await expect(keyRings.create('acme')).rejects.toThrow(/was written and not read back|did not give it back/);
  });

  it('does not announce a ring that came back as another', async () => {
    const [file, rootKey] = [await openFileStoreHere(), randomRootKey()];
    let swapped: StoredRecord | undefined;
    let swaps = (name: string): boolean => name === 'nothing yet';
    const get = async (name: string) => (swaps(name) ? swapped : file.get(name));
    const { keyRings } = await openKeys({ store: { ...verbs(file), get }, rootKey });
    const ring = await keyRings.create('acme');
    swapped = await file.get(`ring/${ring.id}`);
    swaps = (name) => name === `ring/${ring.id}`;
    await expect(keyRings.rotate(ring.id)).rejects.toThrow('did not give it back');
    swaps = (name) => name.startsWith('ring/') && name !== `ring/${ring.id}`;
    await expect(keyRings.create('beta')).rejects.toThrow('did not give it back');
  });

  it('does not announce a ring of which the store kept another key', async () => {
    const [file, rootKey] = [await openFileStoreHere(), randomRootKey()];
    const twisting: RecordStore = {
      ...verbs(file),
      put: async (name, bytes, options) => {
        const ring = (await rootKey.unwrap(name, bytes)).toString();
        const other = ring.replace(/"key":"[^"]{4}/, '"key":"abcd');
        return file.put(name, await rootKey.wrap(name, Buffer.from(other)), options);
      },
    };
    const { keyRings } = await openKeys({ store: twisting, rootKey });
    await expect(keyRings.create('acme')).rejects.toThrow('did not give it back');
  });

  it('stops handing out a ring that was removed', async () => {
    const { keyRings } = await openKeys({ store: await openFileStoreHere(), rootKey: randomRootKey() });
    const { id } = await keyRings.create('acme');
    await keyRings.current(id);
    expect(await keyRings.remove(id)).toBe(true);
    expect(await keyRings.remove(id)).toBe(false);
    await expect(keyRings.current(id)).rejects.toMatchObject({ code: 'KeyUnavailable' });
    await expect(keyRings.rotate(id)).rejects.toMatchObject({ code: 'KeyUnavailable' });
  });

  it('lists rings without their keys', async () => {
    const { keyRings } = await openKeys({ store: await openFileStoreHere(), rootKey: randomRootKey() });
    const [a, b] = [await keyRings.create('acme'), await keyRings.create('beta')];
    const kek = (await keyRings.current(a.id)).key.export().toString('base64');
    const rings = await keyRings.list();
    expect(rings.map(({ id }) => id).sort()).toEqual([a.id, b.id].sort());
    expect(JSON.stringify(rings)).not.toContain(kek);
    expect(Object.keys(rings[0]!)).toEqual(['id', 'tenant', 'name', 'state', 'current', 'versions']);
  });

  it.each([
    ['another ring’s id', { id: UNKNOWN }],
    ['a current version that is not there', { current: 2 }],
    ['a short key', { versions: [{ version: 1, createdAt: '2026-01-01T00:00:00.000Z', key: 'AAAA' }] }],
    [
      'an all-zero key',
      { versions: [{ version: 1, createdAt: '2026-01-01T00:00:00.000Z', key: `${'A'.repeat(43)}=` }] },
    ],
    ['no versions', { versions: [] }],
  ])('refuses a ring record with %s', async (_what, change) => {
    const [store, rootKey] = [await openFileStoreHere(), randomRootKey()];
    const { keyRings } = await openKeys({ store, rootKey });
    const { id } = await keyRings.create('acme');
    const name = `ring/${id}`;
    const payload = JSON.parse((await rootKey.unwrap(name, (await store.get(name))!.bytes)).toString()) as object;
    await store.put(name, await rootKey.wrap(name, Buffer.from(JSON.stringify({ ...payload, ...change }))));
    await store.delete(LEDGER_NAME); // which would not vouch for it
    const records = await Records.open({ store, rootKey });
    await expect(new KeyRings({ records }).current(id)).rejects.toThrow(`The record ring/${id} of the key store`);
    await expect(records.read(RING, id)).rejects.toMatchObject({ record: name });
  });
});

function verbs(store: RecordStore): RecordStore {
  return {
    get: (name) => store.get(name),
    revision: (name) => store.revision(name),
    put: (name, bytes, options) => store.put(name, bytes, options),
    delete: (name, options) => store.delete(name, options),
    list: (prefix) => store.list(prefix),
    watch: (onChange, onConfirmed) => store.watch(onChange, onConfirmed),
    check: () => store.check(),
    close: () => store.close(),
  };
}

function withoutWatch(store: RecordStore): RecordStore {
  return { ...verbs(store), watch: async () => undefined };
}
