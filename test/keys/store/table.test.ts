import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fileRow } from '../../../src/keys/store/file-row.ts';
import { openFileStore } from '../../../src/keys/store/file-store.ts';
import type { KeyStoreRow } from '../../../src/keys/store/row.ts';
import {
  KEY_STORES,
  type KeyStoreTable,
  keyStorePlace,
  keyStoreRow,
  keyStoreRules,
  keyStoreSettings,
  openRecordStore,
} from '../../../src/keys/store/table.ts';
import { Secret } from '../../../src/secret.ts';
import { setting } from '../../../src/settings/forms/setting.ts';
import { path, seconds } from '../../../src/settings/forms/values.ts';
import { temporaryDirectory } from '../fixture.ts';

interface ToyPlace {
  readonly kind: 'toy';
  readonly folder: string;
  readonly waitSeconds: number;
}

const settings = {
  toy: z.strictObject({ folder: setting(path, 'A folder.') }).optional(),
  waitSeconds: setting(seconds({ min: 1, max: 9 }), 'How long it waits.').prefault(3),
};

/** A key store that only this test knows, with settings of its own. */
const toyRow: KeyStoreRow<typeof settings, ToyPlace> = {
  settings,
  noSidecars: 'Sidecars do not play.',
  rules: [() => [{ setting: 'keys.store.toy', problem: 'is a toy' }]],
  place: ({ toy, waitSeconds }) => toy && { kind: 'toy', ...toy, waitSeconds },
  describe: ({ folder }) => `the toy in ${folder}`,
  identity: ({ folder }) => ['toy', folder],
  open: ({ folder }) => openFileStore({ kind: 'file', path: join(folder, 'toy.json') }),
};

const TABLE: KeyStoreTable = { ...KEY_STORES, toy: toyRow };

describe('a key store that is one row more', () => {
  const section = z.strictObject(keyStoreSettings(TABLE));

  it('brings its settings, behind what chooses the others and before nothing of theirs', () => {
    const [choosing, all] = [Object.keys(KEY_STORES), Object.keys(keyStoreSettings())];
    expect(all.slice(0, choosing.length)).toEqual(choosing);
    expect(all).toContain('keyPrefix');
    const further = [...all.slice(choosing.length), 'waitSeconds'];
    expect(Object.keys(keyStoreSettings(TABLE))).toEqual([...choosing, 'toy', ...further]);
  });

  it('is chosen by its settings, and opened as it read them', async () => {
    const folder = await temporaryDirectory();
    const place = keyStorePlace(section.parse({ toy: { folder } }), TABLE);
    expect(place).toEqual({ kind: 'toy', folder, waitSeconds: 3 });
    expect(keyStorePlace(section.parse({ file: '/f' }), TABLE)).toEqual({ kind: 'file', path: '/f' });
    const store = await openRecordStore(place as never, {}, TABLE);
    await store.put('tenant/a', Buffer.from('a'));
    expect((await store.get('tenant/a'))?.bytes.toString()).toBe('a');
    await store.close();
    const row = keyStoreRow(place as never, TABLE);
    expect([row.describe(place as never), row.noSidecars]).toEqual([`the toy in ${folder}`, 'Sidecars do not play.']);
  });

  it('brings its rules', () => {
    const given = { isGiven: () => false, value: () => undefined };
    expect(keyStoreRules(TABLE).flatMap((rule) => rule(given))).toContainEqual({
      setting: 'keys.store.toy',
      problem: 'is a toy',
    });
  });

  it('is unknown to the product', async () => {
    const place = { kind: 'toy', folder: '/', waitSeconds: 3 };
    await expect(openRecordStore(place as never)).rejects.toThrow('There is no key store toy.');
  });
});

it('what tells one store from another stays what it was, since the highest generation is kept by it', () => {
  const url = new Secret('redis://h:6379/4');
  const { redis } = KEY_STORES;
  expect(redis.identity({ kind: 'redis', url })).toEqual(['redis', 4, 'sealgate:']);
  expect(redis.identity({ kind: 'redis', url: new Secret('redis+cluster://h'), keyPrefix: 'a:' })).toEqual([
    'redis',
    0,
    'a:',
  ]);
  expect(fileRow.identity({ kind: 'file', path: '/k.json' })).toEqual(['file', '/k.json']);
});
