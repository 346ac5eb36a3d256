import { describe, expect, it } from 'vitest';
import { type RecordStore, RevisionConflict } from '../../../src/keys/store/record-store.ts';
import { eventually, sorted } from '../eventually.ts';

/** What every key store must do. `open` gives a store over the same empty data each time it is called in one test. */
export function recordStoreContract(name: string, prepare: () => Promise<{ open: () => Promise<RecordStore> }>): void {
  describe(`${name}: the record store contract`, () => {
    it('gives back the bytes and revision that were put', async () => {
      const store = await (await prepare()).open();
      const bytes = Buffer.from([0, 255, 10, 13, 0, 128]);
      const revision = await store.put('tenant/a', bytes);
      expect(await store.get('tenant/a')).toEqual({ bytes, revision });
      expect(await store.get('tenant/b')).toBeUndefined();
    });

    it('shows a write to another process’s store at once', async () => {
      const { open } = await prepare();
      const [one, two] = [await open(), await open()];
      await one.put('tenant/a', Buffer.from('1'));
      expect((await two.get('tenant/a'))?.bytes.toString()).toBe('1');
      await two.put('tenant/a', Buffer.from('2'));
      expect((await one.get('tenant/a'))?.bytes.toString()).toBe('2');
    });

    it('puts an absent record only once', async () => {
      const store = await (await prepare()).open();
      await store.put('tenant/a', Buffer.from('1'), { expectedRevision: 'absent' });
      const again = store.put('tenant/a', Buffer.from('2'), { expectedRevision: 'absent' });
      await expect(again).rejects.toThrow(RevisionConflict);
      await expect(again).rejects.toMatchObject({ record: 'tenant/a' });
      expect((await store.get('tenant/a'))?.bytes.toString()).toBe('1');
    });

    it('puts at a revision only while it stands', async () => {
      const store = await (await prepare()).open();
      const first = await store.put('tenant/a', Buffer.from('1'));
      const second = await store.put('tenant/a', Buffer.from('2'), { expectedRevision: first });
      expect(second).not.toBe(first);
      const late = store.put('tenant/a', Buffer.from('3'), { expectedRevision: first });
      await expect(late).rejects.toThrow(RevisionConflict);
      const gone = store.put('tenant/b', Buffer.from('3'), { expectedRevision: first });
      await expect(gone).rejects.toThrow(RevisionConflict);
      expect((await store.get('tenant/a'))?.bytes.toString()).toBe('2');
    });

    it('never brings a deleted record’s revision back', async () => {
      const store = await (await prepare()).open();
      const first = await store.put('tenant/a', Buffer.from('1'));
      await store.delete('tenant/a');
      await store.put('tenant/a', Buffer.from('1'));
      await expect(store.put('tenant/a', Buffer.from('2'), { expectedRevision: first })).rejects.toThrow(
        RevisionConflict,
      );
    });

    it('deletes at a revision only while it stands', async () => {
      const store = await (await prepare()).open();
      const first = await store.put('tenant/a', Buffer.from('1'));
      const second = await store.put('tenant/a', Buffer.from('2'));
      await expect(store.delete('tenant/a', { expectedRevision: first })).rejects.toThrow(RevisionConflict);
      expect(await store.delete('tenant/a', { expectedRevision: second })).toBe(true);
      expect(await store.delete('tenant/a', { expectedRevision: second })).toBe(false);
      expect(await store.delete('tenant/a')).toBe(false);
      expect(await store.get('tenant/a')).toBeUndefined();
    });

    it('lets exactly one of many concurrent writers win', async () => {
      const { open } = await prepare();
      const stores = [await open(), await open()];
      const writes = Array.from({ length: 12 }, (_, i) =>
        stores[i % 2]!.put('tenant/a', Buffer.from(String(i)), { expectedRevision: 'absent' }),
      );
      const settled = await Promise.allSettled(writes);
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const winner = settled.findIndex(({ status }) => status === 'fulfilled');
      expect((await stores[0]!.get('tenant/a'))?.bytes.toString()).toBe(String(winner));
    });

    it('loses no record to concurrent writers of others', async () => {
      const { open } = await prepare();
      const stores = [await open(), await open()];
      await Promise.all(Array.from({ length: 20 }, (_, i) => stores[i % 2]!.put(`tenant/t${i}`, Buffer.from('x'))));
      expect(await sorted(stores[0]!.list(''))).toHaveLength(20);
    });

    it('lists names by prefix, each once, and takes glob characters literally', async () => {
      const store = await (await prepare()).open();
      for (const each of ['tenant/a', 'tenant/b', 'ring/a', 'tenantX']) await store.put(each, Buffer.from('x'));
      expect(await sorted(store.list('tenant/'))).toEqual(['tenant/a', 'tenant/b']);
      expect(await sorted(store.list(''))).toEqual(['ring/a', 'tenant/a', 'tenant/b', 'tenantX']);
      expect(await sorted(store.list('t*'))).toEqual([]);
      expect(await sorted(store.list('[tr]'))).toEqual([]);
    });

    it('tells a watcher within a second what another store changed', async () => {
      const { open } = await prepare();
      const [watcher, writer] = [await open(), await open()];
      await writer.put('tenant/old', Buffer.from('1'));
      const heard: string[] = [];
      await watcher.watch((changed) => heard.push(...(changed === 'all' ? [] : changed)));
      await writer.put('tenant/new', Buffer.from('1'));
      await eventually(1000, () => heard.includes('tenant/new'));
      await writer.put('tenant/old', Buffer.from('2'));
      await eventually(1000, () => heard.includes('tenant/old'));
      heard.length = 0;
      await writer.delete('tenant/old');
      await eventually(1000, () => heard.includes('tenant/old'));
      expect(heard).not.toContain('tenant/new');
    });

    it('confirms its watch about once a second', async () => {
      const store = await (await prepare()).open();
      let confirmed = 0;
      await store.watch(
        () => undefined,
        () => confirmed++,
      );
      await eventually(2500, () => confirmed >= 2);
    });

    it('answers a check', async () => {
      await expect((await (await prepare()).open()).check()).resolves.toBeUndefined();
    });
  });
}
