import { randomBytes } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openFileIndex } from '../../src/etags/file-index.ts';
import { temporaryDirectory } from '../keys/fixture.ts';
import { etagIndexContract, someEntry } from './etag-index-contract.ts';

async function start() {
  const path = join(await temporaryDirectory(), 'keys.json.etags');
  const open = async () => {
    const index = openFileIndex(path);
    onTestFinished(() => index.close());
    return index;
  };
  return { path, open };
}

etagIndexContract('a file', start);

describe('a file', () => {
  it('loses the oldest of a group that is full, and no other', async () => {
    const { open } = await start();
    const index = await open();
    const group = randomBytes(4);
    const entries = Array.from({ length: 9 }, (_, at) => {
      const each = someEntry(at === 3 ? 5 : 100 + at);
      group.copy(each.name);
      return each;
    });
    await index.write(entries);
    const found = await index.read(entries.map(({ name }) => name));
    expect(found.map((entry) => entry !== undefined)).toEqual(entries.map((_, at) => at !== 3));
  });

  it('never grows past its bound', async () => {
    const { open, path } = await start();
    const index = await open();
    const last = someEntry();
    last.name.writeUInt32BE(16_383, 0);
    await index.write([last]);
    for (let at = 0; at < 20; at++) await index.write(Array.from({ length: 100 }, () => someEntry(at)));
    expect((await stat(path)).size).toBeLessThanOrEqual(16_384 * 8 * 96);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is KeyStoreUnavailable where it cannot be written', async () => {
    const folder = await temporaryDirectory();
    await writeFile(join(folder, 'file'), '');
    const index = openFileIndex(join(folder, 'file', 'etags'));
    await expect(index.write([someEntry()])).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
    await index.close();
  });
});
