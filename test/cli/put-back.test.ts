import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sealgate } from './command-line.ts';

/** A key store that somebody put back, as its owner meets it on the command line. */

const CONFIG = `
listen: 127.0.0.1:0
admin: off
backend: { directory: objects }
keys: { root: { file: root.key }, store: { file: keys.json } }
`;

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealgate-put-back-'));
  await writeFile(join(folder, 'sealgate.yaml'), CONFIG);
  await writeFile(join(folder, 'root.key'), Buffer.alloc(32, 9).toString('base64'), { mode: 0o600 });
  expect((await run('tenant', 'add', 'acme', '--bucket', 'acme-*', '--json')).code).toBe(0);
});
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));

const run = (...args: string[]) => sealgate([...args, '--config', join(folder, 'sealgate.yaml')]);
const file = (name: string) => join(folder, name);

interface KeysFile {
  readonly records: Record<string, { readonly revision: number; readonly record: string }>;
}
const records = async () => (JSON.parse(await readFile(file('keys.json'), 'utf8')) as KeysFile).records;

async function replace(name: string, record: KeysFile['records'][string]): Promise<void> {
  const keys = JSON.parse(await readFile(file('keys.json'), 'utf8')) as KeysFile;
  keys.records[name] = record;
  await writeFile(file('keys.json'), JSON.stringify(keys));
}

it('as a whole: every command refuses it and says what to do, and accepting it mends it', async () => {
  await copyFile(file('keys.json'), file('backup.json'));
  expect((await run('credential', 'add', 'acme')).code).toBe(0);
  await copyFile(file('backup.json'), file('keys.json'));
  for (const command of [['tenant', 'list'], ['credential', 'add', 'acme'], ['serve']]) {
    const { code, stdout, stderr } = await run(...command);
    expect([code, stdout + stderr]).toEqual([
      1,
      expect.stringMatching(/was put back: it is of generation \d+, and \d+ was seen/),
    ]);
  }
  const checked = await run('check');
  expect(checked.stdout).toMatch(/^✖ key store: The key store was put back.*accept-generation/m);
  expect(checked.code).toBe(1);

  const asked = await run('key', 'accept-generation');
  expect([asked.code, asked.stderr]).toEqual([1, expect.stringContaining('repeat it with --yes')]);
  expect((await run('tenant', 'list')).code).toBe(1);
  const accepted = await run('key', 'accept-generation', '--yes', '--json');
  expect(JSON.parse(accepted.stdout)).toMatchObject({ records: 5, different: [], generation: expect.any(Number) });
  expect((await run('tenant', 'list')).stdout).toContain('acme');
  expect((await run('check')).code).toBe(0);
});

it('in one record: check names it, and what accepting would mean is told', async () => {
  const old = (await records())['tenant/acme']!;
  expect((await run('tenant', 'set', 'acme', '--bucket', 'other-*')).code).toBe(0);
  await replace('tenant/acme', old);
  const checked = await run('check');
  expect(checked.stdout).toMatch(/^✖ key store: [\s\S]*tenant\/acme.*an older one was put back/m);
  const asked = await run('key', 'accept-generation');
  expect(asked.stderr).toMatch(/not what Sealgate last wrote:\n {2}tenant\/acme is another one/);
});

it('a revoked access key: check warns, all goes on, and revoking it once more removes it', async () => {
  const { accessKeyId } = JSON.parse((await run('credential', 'add', 'acme', '--json')).stdout) as {
    accessKeyId: string;
  };
  const name = `credential/${accessKeyId}`;
  const old = (await records())[name]!;
  expect((await run('credential', 'revoke', accessKeyId)).code).toBe(0);
  await replace(name, old);
  const checked = await run('check');
  expect(checked.stdout).toMatch(
    new RegExp(`^! key store: The record ${name} is in the key store, and was removed`, 'm'),
  );
  expect(checked.code).toBe(0);
  expect((await run('credential', 'list')).stdout).not.toContain(accessKeyId);
  expect((await run('credential', 'revoke', accessKeyId)).code).toBe(0);
  expect(await records()).not.toHaveProperty([name]);
});
