import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generateRootKeyFile, rootKeyFromFile } from '../../../src/keys/root/file.ts';
import { RootKeyInvalid, rootKeyFromText } from '../../../src/keys/root/root-key.ts';
import { temporaryDirectory } from '../fixture.ts';

const GOOD = Buffer.alloc(32, 7).toString('base64');

async function fileOfMode(mode: number): Promise<string> {
  const path = join(await temporaryDirectory(), 'root.key');
  await writeFile(path, GOOD);
  await chmod(path, mode);
  return path;
}

describe('root key', () => {
  it('reads base64 of 32 bytes, with white space around it', () => {
    expect(rootKeyFromText(` ${GOOD}\r\n`).id).toBe(rootKeyFromText(GOOD).id);
    expect(rootKeyFromText(GOOD).id).toMatch(/^[0-9a-f]{24}$/);
    expect(rootKeyFromText(Buffer.alloc(32, 8).toString('base64')).id).not.toBe(rootKeyFromText(GOOD).id);
  });

  it.each([
    ['empty text', '', 'it is empty'],
    ['white space', ' \n', 'it is empty'],
    ['31 bytes', Buffer.alloc(31, 7).toString('base64'), 'its length is wrong'],
    ['33 bytes', Buffer.alloc(33, 7).toString('base64'), 'its length is wrong'],
    ['hex', Buffer.alloc(32, 7).toString('hex'), 'its length is wrong'],
    ['other characters', `${GOOD.slice(0, 20)} ${GOOD.slice(20)}`, 'it is not plain base64'],
    ['an all-zero key', Buffer.alloc(32).toString('base64'), 'every byte of it is zero'],
  ])('refuses %s, naming the source and not the key', (_what, text, reason) => {
    const read = (): unknown => rootKeyFromText(text, 'the environment variable ROOT');
    expect(read).toThrow(RootKeyInvalid);
    expect(read).toThrow(`The root key from the environment variable ROOT cannot be used: ${reason}`);
    if (text.trim() !== '') expect(read).not.toThrow(text);
  });

  it.each([
    [0o600, []],
    [0o440, []],
    [0o640, []],
    [0o660, ['0660']],
  ] as const)('warns when a file of mode %o is open to its group', async (mode, shown) => {
    const path = await fileOfMode(mode);
    const warnings: string[] = [];
    await rootKeyFromFile(path, { onWarning: (warning) => warnings.push(warning) });
    expect(warnings).toEqual(shown.map((octal) => expect.stringContaining(octal)));
  });

  it.each([0o604, 0o602, 0o601, 0o644])('refuses a file of mode %o, unless that is allowed', async (mode) => {
    const path = await fileOfMode(mode);
    const octal = `0${mode.toString(8)}`;
    const refused = rootKeyFromFile(path);
    await expect(refused).rejects.toThrow(RootKeyInvalid);
    await expect(refused).rejects.toThrow(`everybody on this machine can use it (mode ${octal}). Use chmod 600`);
    const warnings: string[] = [];
    const key = await rootKeyFromFile(path, { openToAll: true, onWarning: (warning) => warnings.push(warning) });
    expect(key.id).toBe(rootKeyFromText(GOOD).id);
    expect(warnings).toEqual([expect.stringContaining(octal)]);
  });

  it('says which file cannot be read', async () => {
    await expect(rootKeyFromFile('/nonexistent/root.key')).rejects.toThrow('/nonexistent/root.key cannot be used');
  });

  it('generates a file that only its owner reads, and never replaces one', async () => {
    const directory = join(await temporaryDirectory(), 'new');
    const path = join(directory, 'root.key');
    const made = await generateRootKeyFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await rootKeyFromFile(path)).toMatchObject({ id: made.id });
    const before = await readFile(path, 'utf8');
    await expect(generateRootKeyFile(path)).rejects.toMatchObject({ code: 'EEXIST' });
    expect(await readFile(path, 'utf8')).toBe(before);
    expect(await readdir(directory)).toEqual(['root.key']);
  });

  it('shows nothing of the key in the object', () => {
    expect(JSON.stringify(rootKeyFromText(GOOD))).toBe(JSON.stringify({ id: rootKeyFromText(GOOD).id }));
  });
});
