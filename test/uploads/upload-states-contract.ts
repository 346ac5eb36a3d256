import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { UploadStates } from '../../src/uploads/upload-states.ts';

export const newId = (): string => randomBytes(32).toString('hex');
const KEEP_SECONDS = 60;

/** In seconds: longer than a busy machine takes between two commands. */
const BRIEFLY = 3;

/** How long a test waits until a store has forgotten something. */
const PATIENCE = { timeout: 30_000 };

/** What every store of uploads must do. `open` gives a store over the same data each time it is called in one test. */
export function uploadStatesContract(
  name: string,
  prepare: () => Promise<{ open: () => Promise<UploadStates> }>,
): void {
  describe(`${name}: the contract of upload states`, () => {
    it('gives back the entries in the order in which they came, to every process', async () => {
      const { open } = await prepare();
      const [one, two] = [await open(), await open()];
      const id = newId();
      const entries = [Buffer.from([0, 255, 10, 13]), randomBytes(222), Buffer.from('='), randomBytes(1)];
      await one.create(id, entries.slice(0, 2), KEEP_SECONDS);
      for (const entry of entries.slice(2)) expect(await two.append(id, entry, KEEP_SECONDS)).toBe(true);
      expect(await one.read(id)).toEqual(entries);
      expect(await two.header(id)).toEqual(entries[0]);
    });

    it('tells about how many entries a log has, never fewer, and its first without the others', async () => {
      const states = await (await prepare()).open();
      const id = newId();
      expect(await states.mostEntries(id)).toBe(0);
      const mark = randomBytes(1300); // a completed upload's, with the longest ETag and version id that there may be
      await states.create(id, [mark, randomBytes(222)], KEEP_SECONDS);
      for (let part = 0; part < 98; part++) await states.append(id, randomBytes(77 + (part % 49)), KEEP_SECONDS);
      const most = await states.mostEntries(id);
      expect(most).toBeGreaterThanOrEqual(100);
      expect(most).toBeLessThan(250);
      expect(await states.header(id)).toEqual(mark);
    });

    it('appends to no log that is not there, and makes none', async () => {
      const states = await (await prepare()).open();
      const id = newId();
      expect(await states.append(id, Buffer.from('x'), KEEP_SECONDS)).toBe(false);
      expect([await states.read(id), await states.header(id), await states.delete(id)]).toEqual([
        undefined,
        undefined,
        false,
      ]);
      await states.create(id, [Buffer.from('h')], KEEP_SECONDS);
      expect(await states.delete(id)).toBe(true);
      expect(await states.append(id, Buffer.from('x'), KEEP_SECONDS)).toBe(false);
      expect(await states.read(id)).toBeUndefined();
    });

    it('keeps logs apart, and replaces one whole', async () => {
      const states = await (await prepare()).open();
      const [one, two] = [newId(), newId()];
      await states.create(one, [Buffer.from('1')], KEEP_SECONDS);
      await states.create(two, [Buffer.from('2')], KEEP_SECONDS);
      await states.append(one, Buffer.from('part'), KEEP_SECONDS);
      await states.create(one, [Buffer.from('1'), Buffer.from('over')], KEEP_SECONDS);
      expect(await states.read(one)).toEqual([Buffer.from('1'), Buffer.from('over')]);
      expect(await states.read(two)).toEqual([Buffer.from('2')]);
    });

    it('loses none of many parts that come at once through two processes', async () => {
      const { open } = await prepare();
      const stores = [await open(), await open()];
      const id = newId();
      await stores[0]?.create(id, [Buffer.from('h')], KEEP_SECONDS);
      const entries = Array.from({ length: 300 }, (_, at) => Buffer.from(`part ${at} ${'x'.repeat(at % 90)}`));
      await Promise.all(entries.map((entry, at) => stores[at % 2]?.append(id, entry, KEEP_SECONDS)));
      const texts = (await stores[0]?.read(id))?.slice(1).map(String);
      expect(texts?.sort()).toEqual(entries.map(String).sort());
    });

    it('counts the uploads of each tenant, for every process, until they are over', async () => {
      const { open } = await prepare();
      const [one, two] = [await open(), await open()];
      const ids = [newId(), newId(), newId()];
      for (const id of ids) {
        await one.create(id, [Buffer.from('h')], KEEP_SECONDS);
        await one.countIn('acme', id, KEEP_SECONDS);
      }
      await two.countIn('acme', ids[0] as string, KEEP_SECONDS);
      expect([await two.openUploads('acme'), await two.openUploads('acm'), await two.openUploads('..')]).toEqual([
        3, 0, 0,
      ]);
      await two.countOut('acme', ids[1] as string);
      await two.countOut('other', ids[0] as string);
      await two.countOn('acme', ids[1] as string, KEEP_SECONDS); // a part that was late
      expect(await one.openUploads('acme')).toBe(2);
    });

    it('counts an upload as long as it is kept, and no longer', async () => {
      const states = await (await prepare()).open();
      const [used, left] = [newId(), newId()];
      for (const id of [used, left]) {
        await states.create(id, [Buffer.from('h')], BRIEFLY);
        await states.countIn('acme', id, BRIEFLY);
      }
      const use = async () => {
        await Promise.all([states.append(used, Buffer.from('part'), BRIEFLY), states.countOn('acme', used, BRIEFLY)]);
        return states.openUploads('acme');
      };
      expect(await use()).toBe(2);
      await expect.poll(use, PATIENCE).toBe(1);
      await expect.poll(() => states.openUploads('acme'), PATIENCE).toBe(0);
    });

    it('forgets what nobody adds to, and keeps what somebody does', async () => {
      const { open } = await prepare();
      const states = await open();
      const [used, left] = [newId(), newId()];
      await states.create(used, [Buffer.from('used')], BRIEFLY);
      await states.create(left, [Buffer.from('left')], BRIEFLY);
      let parts = 0;
      const use = async () => {
        expect(await states.append(used, Buffer.from('part'), BRIEFLY)).toBe(true);
        parts++;
        return states.header(left);
      };
      // The one that was begun later, and left alone, is gone: then the other's first time is over, too.
      await expect.poll(use, PATIENCE).toBeUndefined();
      expect(await states.append(left, Buffer.from('part'), BRIEFLY)).toBe(false);
      expect(await (await open()).read(used)).toHaveLength(1 + parts);
    });
  });
}
