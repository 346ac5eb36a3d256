import { describe, expect, it } from 'vitest';
import { RING } from '../../src/keys/key-ring.ts';
import { LEDGER_NAME } from '../../src/keys/record-name.ts';
import { Records } from '../../src/keys/records.ts';
import type { RootKey } from '../../src/keys/root/root-key.ts';
import { SelfTestFailed, startUpSelfTest } from '../../src/keys/self-test.ts';
import type { RecordStore } from '../../src/keys/store/record-store.ts';
import { openFileStoreHere, openKeys, randomRootKey } from './fixture.ts';

async function selfTest(store: RecordStore, rootKey: RootKey): Promise<number> {
  const records = await Records.open({ store, rootKey });
  return startUpSelfTest({ records, kinds: [RING], now: () => new Date() });
}

describe('start-up self-test', () => {
  it('leaves a canary in a new store, and reads every record of an old one', async () => {
    const [store, rootKey] = [await openFileStoreHere(), randomRootKey()];
    expect(await selfTest(store, rootKey)).toBe(0);
    expect(await store.get('canary/root-key')).toBeDefined();
    const { keyRings } = await openKeys({ store, rootKey });
    await keyRings.create('acme');
    expect(await selfTest(store, rootKey)).toBe(2);
  });

  it('passes when several workers start on a new store at once', async () => {
    const [store, rootKey] = [await openFileStoreHere(), randomRootKey()];
    await expect(Promise.all(Array.from({ length: 4 }, () => selfTest(store, rootKey)))).resolves.toBeDefined();
  });

  it('refuses a wrong root key, naming the record and both keys’ ids', async () => {
    const [store, right, wrong] = [await openFileStoreHere(), randomRootKey(), randomRootKey()];
    await selfTest(store, right);
    const failed = selfTest(store, wrong);
    await expect(failed).rejects.toThrow(SelfTestFailed);
    await expect(failed).rejects.toThrow(/root key does not open this key store.*\n.*canary\/root-key/);
    await expect(failed).rejects.toThrow(right.id);
    await expect(failed).rejects.toThrow(wrong.id);
  });

  it('refuses a wrong root key for a store without a canary, and leaves none', async () => {
    const [store, right, wrong] = [await openFileStoreHere(), randomRootKey(), randomRootKey()];
    const { keyRings } = await openKeys({ store, rootKey: right });
    const { id } = await keyRings.create('acme');
    await expect(selfTest(store, wrong)).rejects.toThrow(LEDGER_NAME);
    await store.delete(LEDGER_NAME); // as release 0.1 left a store
    await expect(selfTest(store, wrong)).rejects.toThrow(`ring/${id}`);
    expect(await store.get('canary/root-key')).toBeUndefined();
  });

  it('names every record that was altered, swapped or is not ours', async () => {
    const [store, rootKey] = [await openFileStoreHere(), randomRootKey()];
    await selfTest(store, rootKey);
    const { keyRings } = await openKeys({ store, rootKey });
    const ids = [];
    for (const tenant of ['a', 'b', 'c', 'd']) ids.push((await keyRings.create(tenant)).id);
    const [bent, one, two, whole] = ids.map((id) => `ring/${id}`);
    const bytes = (await store.get(bent!))!.bytes;
    bytes[60] = bytes[60]! ^ 1;
    await store.put(bent!, bytes);
    const swap = await store.get(one!);
    await store.put(one!, (await store.get(two!))!.bytes);
    await store.put(two!, swap!.bytes);
    await store.put('session:42', Buffer.from('x'));
    await store.put('ring/short', Buffer.alloc(0));
    const error: unknown = await selfTest(store, rootKey).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SelfTestFailed);
    const { problems, message } = error as SelfTestFailed;
    expect(problems).toHaveLength(5);
    for (const name of [bent, one, two, '"session:42"', 'ring/short']) expect(message).toContain(name);
    expect(message).not.toContain(whole);
  });

  it('shows the first problems and counts the rest', async () => {
    const [store, rootKey] = [await openFileStoreHere(), randomRootKey()];
    for (let i = 0; i < 13; i++) await store.put(`ring/bad${i}`, Buffer.alloc(0));
    await expect(selfTest(store, rootKey)).rejects.toThrow(/and 3 more$/);
  });
});
