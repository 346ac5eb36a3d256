import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ENTRY_BYTES } from '../../src/etags/etag-entry.ts';
import type { EtagIndex, NamedEntry } from '../../src/etags/etag-index.ts';

/** An entry that nobody opens: its version, its time and noise. */
export function someEntry(writtenAtSeconds = 1): NamedEntry {
  const entry = randomBytes(ENTRY_BYTES);
  entry[0] = 1;
  entry.writeUInt32BE(writtenAtSeconds, 5);
  return { name: randomBytes(16), entry };
}

/** What every index does, over stores of its own. */
export function etagIndexContract(name: string, start: () => Promise<{ open: () => Promise<EtagIndex> }>): void {
  describe(`an index in ${name}`, () => {
    it('gives back what was written, in the order that is asked for', async () => {
      const { open } = await start();
      const index = await open();
      const written = Array.from({ length: 1000 }, () => someEntry());
      await index.write(written);
      const unknown = randomBytes(16);
      const asked = [unknown, ...written.map((each) => each.name).reverse(), unknown];
      const found = await index.read(asked);
      expect(found[0]).toBeUndefined();
      expect(found.at(-1)).toBeUndefined();
      expect(found.slice(1, -1).map((entry) => entry?.toString('hex'))).toEqual(
        written.map(({ entry }) => entry.toString('hex')).reverse(),
      );
    });

    it('replaces', async () => {
      const { open } = await start();
      const index = await open();
      const first = someEntry();
      const later = { name: first.name, entry: someEntry(2).entry };
      await index.write([first]);
      await index.write([later]);
      expect(await index.read([first.name])).toEqual([later.entry]);
    });

    it('is shared, and outlives who wrote it', async () => {
      const { open } = await start();
      const one = await open();
      const other = await open();
      const entry = someEntry();
      expect(await other.read([entry.name])).toEqual([undefined]);
      await one.write([entry]);
      await one.close();
      expect(await other.read([entry.name])).toEqual([entry.entry]);
    });

    it('takes nothing, and is asked for nothing', async () => {
      const { open } = await start();
      const index = await open();
      await index.write([]);
      expect(await index.read([])).toEqual([]);
    });
  });
}
