import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sorted } from '../eventually.ts';
import { openStore, temporaryDirectory } from '../fixture.ts';
import { recordStoreContract } from './record-store-contract.ts';

recordStoreContract('file store', async () => {
  const path = join(await temporaryDirectory(), 'keys.json');
  return { open: () => openStore({ kind: 'file', path }) };
});

describe('file store', () => {
  it('keeps its records over a restart, in a file that only its owner can read', async () => {
    const path = join(await temporaryDirectory(), 'deep', 'keys.json');
    const first = await openStore({ kind: 'file', path });
    const revision = await first.put('tenant/a', Buffer.from('1'));
    await first.close();
    const second = await openStore({ kind: 'file', path });
    expect(await second.get('tenant/a')).toEqual({ bytes: Buffer.from('1'), revision });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('leaves no draft and no lock behind', async () => {
    const directory = await temporaryDirectory();
    const store = await openStore({ kind: 'file', path: join(directory, 'keys.json') });
    await Promise.all(['a', 'b', 'c'].map((id) => store.put(`tenant/${id}`, Buffer.from('1'))));
    await store.delete('tenant/a');
    expect(await readdir(directory)).toEqual(['keys.json']);
  });

  it('takes over the lock of a writer that died', async () => {
    const path = join(await temporaryDirectory(), 'keys.json');
    await writeFile(`${path}.lock`, 'the token of a dead process');
    const store = await openStore({ kind: 'file', path, lock: { staleSeconds: 0.2, waitSeconds: 5 } });
    await store.put('tenant/a', Buffer.from('1'));
    expect((await store.get('tenant/a'))?.bytes.toString()).toBe('1');
  });

  it('respects the lock of a writer that lives', async () => {
    const path = join(await temporaryDirectory(), 'keys.json');
    await writeFile(`${path}.lock`, 'the token of another process');
    const touch = setInterval(() => void utimes(`${path}.lock`, new Date(), new Date()), 20);
    try {
      const store = await openStore({ kind: 'file', path, lock: { staleSeconds: 1, waitSeconds: 1.5 } });
      await expect(store.put('tenant/a', Buffer.from('1'))).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
      expect(await store.get('tenant/a')).toBeUndefined();
    } finally {
      clearInterval(touch);
    }
  });

  it('loses nothing when several processes write at once', async () => {
    const path = join(await temporaryDirectory(), 'keys.json');
    const program = `
      import { openFileStore } from ${JSON.stringify(new URL('../../../src/keys/store/file-store.ts', import.meta.url).href)};
      const store = await openFileStore({ kind: 'file', path: ${JSON.stringify(path)} });
      for (let i = 0; i < 10; i++) await store.put('tenant/' + process.argv[1] + i, Buffer.from('x'));
      await store.close();`;
    const writers = ['a', 'b', 'c'].map(async (id) => {
      const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program, id], {
        stdio: 'inherit',
      });
      expect((await once(child, 'exit'))[0]).toBe(0);
    });
    await Promise.all(writers);
    const store = await openStore({ kind: 'file', path });
    expect(await sorted(store.list('tenant/'))).toHaveLength(30);
  });

  it.each([
    ['not JSON', '{"format":"sealgate-key-st', 'is not JSON'],
    ['another format', '{"format":"x","version":1,"records":{}}', 'is not a Sealgate key store'],
    ['a newer version', '{"format":"sealgate-key-store","version":2,"records":{}}', 'has the unknown version 2'],
    ['a damaged entry', '{"format":"sealgate-key-store","version":1,"records":{"ring/x":{}}}', 'damaged entry ring/x'],
  ])('refuses to open a file that is %s, and leaves it as it is', async (_what, text, message) => {
    const path = join(await temporaryDirectory(), 'keys.json');
    await writeFile(path, text);
    await expect(openStore({ kind: 'file', path })).rejects.toThrow(message);
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('does not take a file that disappeared for a new, empty store', async () => {
    const path = join(await temporaryDirectory(), 'keys.json');
    const store = await openStore({ kind: 'file', path });
    await store.put('tenant/a', Buffer.from('1'));
    await rm(path);
    await expect(store.get('tenant/a')).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
    await expect(store.put('tenant/b', Buffer.from('1'))).rejects.toMatchObject({ code: 'KeyStoreUnavailable' });
    expect(await readdir(join(path, '..'))).toEqual([]);
  });
});
