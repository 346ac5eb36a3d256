import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateRootKeyFile } from '../../../src/keys/root/file.ts';
import { joinedRootKey, rootKeyFromBytes } from '../../../src/keys/root/root-key.ts';
import { type ROOT_KEYS, type RootKeyPlace, rootKeyPlace, rootKeyProvider } from '../../../src/keys/root/table.ts';
import { RecordUnreadable } from '../../../src/keys/wrapped-record.ts';
import { Secret } from '../../../src/secret.ts';
import { temporaryDirectory } from '../fixture.ts';
import { rootKeyProviderContract } from './provider-contract.ts';

const ROWS: Readonly<Record<keyof typeof ROOT_KEYS, () => Promise<RootKeyPlace>>> = {
  file: async () => {
    const path = join(await temporaryDirectory(), 'root.key');
    await generateRootKeyFile(path);
    return { kind: 'file', path, openToAll: false };
  },
  env: async () => ({ kind: 'env', key: new Secret(randomBytes(32).toString('base64')), source: 'a variable' }),
};

for (const [name, place] of Object.entries(ROWS)) {
  rootKeyProviderContract(`keys.root.${name}`, async () => {
    const [one, other] = [await place(), await place()];
    return { provider: () => rootKeyProvider(one), other: () => rootKeyProvider(other) };
  });
}

describe('the table of providers', () => {
  it('finds the provider that was chosen, by what was read', () => {
    const key = new Secret('x');
    expect(rootKeyPlace({ file: '/a', openToAll: true })).toEqual({ kind: 'file', path: '/a', openToAll: true });
    expect(rootKeyPlace({ env: { key, source: 'v' }, openToAll: false })).toEqual({ kind: 'env', key, source: 'v' });
    expect(rootKeyPlace({ openToAll: false })).toBeUndefined();
  });
});

describe('several root keys', () => {
  it('wrap as the first, and unwrap as any of them', async () => {
    const [first, second, third] = [1, 2, 3].map((byte) => rootKeyFromBytes(Buffer.alloc(32, byte)));
    const joined = joinedRootKey([first!, second!]);
    expect(joined.id).toBe(first!.id);
    const record = Buffer.from('{}');
    expect(await first!.unwrap('tenant/a', await joined.wrap('tenant/a', record))).toEqual(record);
    expect(await joined.unwrap('tenant/a', await second!.wrap('tenant/a', record))).toEqual(record);
    const foreign = joined.unwrap('tenant/a', await third!.wrap('tenant/a', record));
    await expect(foreign).rejects.toThrow(RecordUnreadable);
    await expect(foreign).rejects.toThrow(`the configured root key has id ${first!.id}`);
  });
});
