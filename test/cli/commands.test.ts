import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Records } from '../../src/keys/records.ts';
import { rootKeyFromText } from '../../src/keys/root/root-key.ts';
import { openRecordStore } from '../../src/keys/store/table.ts';
import { SETTING_ROWS } from '../../src/settings/rows.ts';
import { TENANT } from '../tenants/fixture.ts';
import { sealgate, sealgateJson } from './command-line.ts';

let folder: string;
let config: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealgate-cli-'));
  config = join(folder, 'sealgate.yaml');
  await writeFile(
    config,
    'backend: { directory: objects }\nkeys: { root: { env: KEY }, store: { file: keys.json } }\n',
  );
});
afterAll(() => rm(folder, { recursive: true }));

const env = { KEY: Buffer.alloc(32, 9).toString('base64') };

function run(...args: string[]) {
  return sealgate([...args, '--config', config], { env });
}

describe('the command line', () => {
  it('without a command says what there is, with exit code 2', async () => {
    const { code, stdout, stderr } = await sealgate([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('quickstart');
  });

  it.each([
    [['--help'], 'tenant add'],
    [['tenant', '--help'], 'tenant remove'],
    [['tenant', 'add', '--help'], '--bucket PATTERN'],
    [['help', 'check'], 'probe'],
    [['--version'], 'sealgate 0.'],
  ])('%j helps with exit code 0', async (args, text) => {
    const { code, stdout } = await sealgate(args);
    expect(code).toBe(0);
    expect(stdout).toContain(text);
  });

  it.each([
    [['serv'], 'Did you mean: sealgate serve?'],
    [['tenant', 'ad'], 'Did you mean: sealgate tenant add?'],
    [['tenant', 'list', '--jsn'], 'Unknown option --jsn. Did you mean --json?'],
    [['tenant', 'list', 'surplus'], 'Unexpected argument: surplus'],
    [['tenant', 'add', 'x'], '--bucket is missing'],
    [['tenant', 'add', '--bucket', 'x'], 'NAME is missing'],
    [['tenant', 'add', 'x', '--bucket', 'y', '--access-key', 'z'], '--access-key needs --secret-file'],
    [['tenant', 'set', 'x', '--backend-access-key', 'z'], '--backend-access-key needs --backend-secret-file'],
    [['credential', 'add', 'x', '--backend-secret-file', 'z'], '--backend-secret-file needs --backend-access-key'],
    [['credential', 'set', 'x'], 'Nothing to change: give --backend-access-key or --no-backend-key.'],
    [['quickstart', '--port', 'http'], '--port http is no port'],
  ])('%j is a usage error, exit code 2', async (args, text) => {
    const { code, stderr } = await sealgate(args);
    expect(stderr).toContain(text);
    expect(code).toBe(2);
  });

  it('reports every problem of a configuration at once, exit code 1', async () => {
    const bad = join(folder, 'bad.yaml');
    await writeFile(bad, 'workerz: 1\nlisten: x\nbackend: { directory: o }\n');
    const { code, stderr } = await sealgate(['serve', '--config', bad]);
    expect(code).toBe(1);
    expect(stderr.match(/✖ [\w.]+/g)).toEqual(['✖ listen', '✖ workerz', '✖ keys.root.file', '✖ keys.store.redis']);
  });

  it('says that there is no file, where settings are missing', async () => {
    const { code, stderr } = await sealgate(['tenant', 'list'], { cwd: folder.slice(0, folder.lastIndexOf('/')) });
    expect(code).toBe(1);
    expect(stderr).toContain('✖ backend.endpoint: is missing');
    expect(stderr).toContain('there is no ./sealgate.yaml');
    expect((await sealgate(['check'], { cwd: join(folder, '..') })).stdout).toContain('there is no ./sealgate.yaml');
  });

  it('prints every setting', async () => {
    const rows = await sealgateJson<{ name: string }[]>(['config']);
    expect(rows.map(({ name }) => name)).toEqual(SETTING_ROWS.map(({ name }) => name));
  });

  it('tells an old runtime from a good one', () => {
    const source = join(import.meta.dirname, '../../src/launch.js');
    // The same file on a process that claims to be older: what an old node would do.
    const claim = "Object.defineProperty(process.versions, 'node', { value: '18.20.0' });";
    const loader = `data:text/javascript,${encodeURIComponent(claim)}`;
    const { status, stderr } = spawnSync(process.execPath, ['--import', loader, source, 'version'], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain('needs Node 24 or later; this is Node 18.20.0');
    expect(stderr).toContain('npm ci && npm start');
  });
});

describe('src/launch.js', () => {
  const source = join(import.meta.dirname, '../../src/launch.js');

  it('is a program where the package is installed', async () => {
    expect(await readFile(source, 'utf8')).toMatch(/^#!\/usr\/bin\/env -S node --max-semi-space-size=8\n/);
  });

  it('spares V8 to compile a small WebAssembly function for speed, which would keep 10 MB of every process', async () => {
    const clone = join(folder, 'counting');
    await cp(source, join(clone, 'launch.js'));
    await writeFile(join(clone, 'package.json'), '{"type":"module"}');
    // f(n) counts n down to nought.
    const counts = '0061736d010000000105016001' + '7f0003020100070501016600000a10010e000340200041016b22000d000b0b';
    const main = `new WebAssembly.Instance(new WebAssembly.Module(Buffer.from('${counts}', 'hex'))).exports.f(2e7);\n`;
    await writeFile(join(clone, 'main.js'), main);
    const args = ['--trace-wasm-compilation-times', join(clone, 'launch.js')];
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toContain('using Liftoff');
    expect(stdout).not.toContain('using TurboFan');
  });

  it('says that packages are missing', async () => {
    const clone = join(folder, 'clone');
    await cp(source, join(clone, 'launch.js'));
    await writeFile(join(clone, 'package.json'), '{"type":"module"}');
    await writeFile(join(clone, 'main.js'), "import 'sealgate-has-no-such-package';\n");
    const { status, stderr } = spawnSync(process.execPath, [join(clone, 'launch.js')], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toBe(
      "Sealgate's packages are not installed (Cannot find package 'sealgate-has-no-such-package'). Install them:\n\n    npm ci\n",
    );
  });
});

describe('tenants and credentials', () => {
  interface Credential {
    readonly tenant: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  }

  it('come, are listed without secrets, and go', async () => {
    const at = ['--config', config];
    const acme = await sealgateJson<Credential>(['tenant', 'add', 'acme', '--bucket', 'acme-*', ...at], { env });
    expect(Object.keys(acme)).toEqual(['tenant', 'accessKeyId', 'secretAccessKey']);
    expect(acme.tenant).toBe('acme');

    await writeFile(join(folder, 'secret'), 'a-secret-from-before\n');
    const given = ['--access-key', 'AKIAFROMBEFORE', '--secret-file', 'secret'];
    const second = await sealgate(['credential', 'add', 'acme', '--json', ...given, ...at], { env, cwd: folder });
    expect(JSON.parse(second.stdout)).toEqual({
      tenant: 'acme',
      accessKeyId: 'AKIAFROMBEFORE',
      secretAccessKey: 'a-secret-from-before',
    });

    const lists = await Promise.all([
      run('tenant', 'list'),
      run('tenant', 'list', '--json'),
      run('credential', 'list', 'acme'),
      run('credential', 'list', '--json'),
      run('key', 'list'),
      run('key', 'list', 'acme', '--json'),
    ]);
    const printed = lists.map(({ stdout, stderr }) => stdout + stderr).join('\n');
    expect(lists.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(printed).toContain('acme-*');
    expect(printed).toContain('AKIAFROMBEFORE');
    expect(printed).not.toContain('a-secret-from-before');
    expect(printed).not.toContain(acme.secretAccessKey);
    expect(await readFile(join(folder, 'keys.json'), 'utf8')).not.toContain('a-secret-from-before');

    const added = await run('key', 'add', 'acme', '--name', 'cards', '--json');
    const { keyRing } = JSON.parse(added.stdout) as { readonly keyRing: string };
    expect(JSON.parse(added.stdout)).toEqual({ tenant: 'acme', name: 'cards', keyRing, version: 1 });
    expect(keyRing).toMatch(/^[0-9a-f]{16}$/);
    const keys = JSON.parse((await run('key', 'list', 'acme', '--json')).stdout) as { readonly name?: string }[];
    expect(keys.map(({ name }) => name)).toEqual([undefined, 'cards']);
    expect((await run('key', 'list', 'acme')).stdout).toMatch(
      new RegExp(`acme +cards +${keyRing} +1 +seals and opens`),
    );
    expect(await run('key', 'add', 'acme', '--name', 'cards')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('The tenant acme has a key named cards already.'),
    });
    expect(await run('key', 'add', 'acme')).toMatchObject({ code: 2, stderr: expect.stringContaining('--name NAME') });

    expect((await run('credential', 'revoke', 'AKIAFROMBEFORE')).code).toBe(0);
    expect(await run('credential', 'revoke', 'AKIAFROMBEFORE')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no access key AKIAFROMBEFORE'),
    });
  });

  it('are set anew: other buckets', async () => {
    expect((await run('tenant', 'set', 'acme', '--bucket', 'acme-*', 'acme-old:mixed')).code).toBe(0);
    expect((await run('tenant', 'list')).stdout).toContain('acme-*, acme-old:mixed');
  });

  it('get backend keys that exclude their removal, and refuse those that could not sign', async () => {
    await writeFile(join(folder, 'backend-secret'), 'planted-backend-secret\n');
    const given = ['--backend-secret-file', join(folder, 'backend-secret'), '--backend-access-key'];
    expect(await run('tenant', 'set', 'acme', ...given, 'user', '--no-backend-key')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('exclude one another'),
    });
    const refused = await run('tenant', 'set', 'acme', ...given, 'a/b');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('The backend access key must be') });
    const set = await run('tenant', 'set', 'acme', ...given, 'user');
    expect(set.stdout).toContain('backend key user');
    expect(set.stdout + refused.stderr).not.toContain('planted');
    expect((await run('tenant', 'set', 'acme', '--no-backend-key')).stdout).not.toContain('backend key');
    expect(await run('credential', 'set', 'NOBODY', ...given, 'user')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no access key NOBODY.'),
    });
  });

  it('are set anew: one setting, and the others stay', async () => {
    expect((await run('tenant', 'set', 'acme', '--sigv2', 'on')).stdout).toContain('sigv2');
    const listed = () => sealgateJson<Record<string, unknown>[]>(['tenant', 'list', '--config', config], { env });
    expect(await listed()).toMatchObject([{ tenant: 'acme', sigv2: true, buckets: [{}, { mixed: true }] }]);
    expect((await run('tenant', 'list')).stdout).toMatch(/acme-old:mixed +sigv2/);
    expect((await run('tenant', 'set', 'acme', '--sigv2', 'off')).code).toBe(0);
    expect(await listed()).toMatchObject([{ sigv2: false }]);
    expect((await run('tenant', 'set', 'acme', '--sigv2', 'presigned-reads')).stdout).toContain(
      'sigv2 of presigned reads',
    );
    expect(await listed()).toMatchObject([{ sigv2: 'presigned-reads' }]);
    expect(await run('tenant', 'set', 'acme', '--sigv2', 'yes')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--sigv2 takes on, off or presigned-reads.'),
    });
    expect(await run('tenant', 'set', 'acme')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Nothing to change'),
    });
  });

  it('are removed only when somebody says so', async () => {
    const unasked = await run('tenant', 'remove', 'acme');
    expect(unasked).toMatchObject({ code: 1, stderr: expect.stringContaining('repeat it with --yes') });
    expect((await run('tenant', 'list')).stdout).toContain('acme');
    expect((await run('tenant', 'remove', 'nobody', '--yes')).stderr).toContain('There is no tenant nobody');
    expect(await run('tenant', 'remove', 'acme', '--yes', '--json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"removed":"acme"'),
    });
    expect((await run('tenant', 'list')).stdout).toContain('No tenants yet');
    expect(JSON.parse((await run('key', 'list', '--json')).stdout)).toEqual([]);
  });

  it('are removed by the same command again where it was cut off', async () => {
    const other = join(folder, 'cut-off.yaml');
    await writeFile(other, (await readFile(config, 'utf8')).replace('keys.json', 'cut-off.json'));
    const again = (...args: string[]) => sealgate(['tenant', ...args, '--config', other], { env });
    expect((await again('add', 'cut', '--bucket', 'cut-*')).code).toBe(0);
    const store = await openRecordStore({ kind: 'file', path: join(folder, 'cut-off.json') });
    const records = await Records.open({ store, rootKey: rootKeyFromText(env.KEY) });
    await records.delete(TENANT, 'cut');
    await store.close();
    expect((await again('add', 'new', '--bucket', 'cut-*')).stderr).toContain('is the tenant cut’s');
    expect(await again('remove', 'cut')).toMatchObject({ code: 0, stdout: expect.stringContaining('its keys stay') });
    expect(await again('remove', 'cut')).toMatchObject({ code: 1, stderr: '✖ There is no tenant cut.\n' });
    expect((await again('add', 'new', '--bucket', 'cut-*')).code).toBe(0);
  });

  it('refuse with a sentence and no stack', async () => {
    expect(await run('tenant', 'add', 'Bad Name', '--bucket', 'x')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^✖ The tenant name .*\n$/),
    });
    const { code, stderr } = await sealgate(['tenant', 'list', '--config', config], {
      env: { KEY: Buffer.alloc(32, 1).toString('base64') },
    });
    expect({ code, stack: / at /.test(stderr) }).toEqual({ code: 1, stack: false });
  });

  it('leave no file of another name behind', () => {
    expect(existsSync(join(folder, 'keys.json'))).toBe(true);
  });
});
