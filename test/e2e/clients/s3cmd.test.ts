import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload, sha256 } from '../../support/payload.ts';
import { runProgram, TENANT } from '../../support/servers/gateway.ts';
import { MD5_ETAGS, type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { tool } from '../../support/tools.ts';

const MIB = 1024 * 1024;
const BUCKET = 's3://acme-s3cmd';

const SETTINGS = [
  ['opaque', {}],
  ['md5', MD5_ETAGS],
] as const;

describe.each(SETTINGS)('s3cmd over MinIO and Redis, ETags %s', (_etags, settings) => {
  let folder: string;
  let stand: Stand;

  const run = (...args: readonly string[]) =>
    runProgram(tool('s3cmd'), ['--config', 's3cmd.cfg', '--no-progress', ...args], { cwd: folder });

  async function s3cmd(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run(...args);
    expect(`${code} ${stderr}`, args.join(' ')).toBe('0 ');
    return stdout;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealgate-s3cmd-'));
    stand = await standOnMinio(settings);
    const host = `127.0.0.1:${stand.gateway.port}`;
    const lines = [
      '[default]',
      `access_key = ${TENANT.accessKeyId}`,
      `secret_key = ${TENANT.secretAccessKey}`,
      `host_base = ${host}`,
      `host_bucket = ${host}`, // path style
      'use_https = False',
      'max_retries = 1',
    ];
    await writeFile(join(folder, 's3cmd.cfg'), lines.join('\n'), { mode: 0o600 });
    await s3cmd('mb', BUCKET);
  });

  afterAll(async () => {
    await stand?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([0, 1, 65_537, 16 * MIB + 1])('puts and gets %d bytes in one request', async (bytes) => {
    const sent = payload(bytes, bytes + 5);
    await writeFile(join(folder, 'up'), sent);
    await s3cmd('put', 'up', `${BUCKET}/file`);
    await s3cmd('get', '--force', `${BUCKET}/file`, 'down');
    expect(sha256(await readFile(join(folder, 'down')))).toBe(sha256(sent));
  });

  it('lists, shows and deletes', async () => {
    await writeFile(join(folder, 'hundred'), payload(100, 51));
    const put = ['put', '--add-header', 'x-amz-meta-colour: blue', '--mime-type', 'text/csv'];
    await s3cmd(...put, 'hundred', `${BUCKET}/list/a b ü+`);
    expect(await s3cmd('ls', `${BUCKET}/list/`)).toMatch(/ 100 {2}s3:\/\/acme-s3cmd\/list\/a b ü\+\n$/);
    expect(await s3cmd('ls', BUCKET)).toContain(`DIR  ${BUCKET}/list/`);
    const info = await s3cmd('info', `${BUCKET}/list/a b ü+`);
    expect(info).toMatch(/File size: 100\n/);
    expect(info).toMatch(/MIME type: text\/csv\n/);
    expect(info).toMatch(/MD5 sum: {3}[0-9a-f]{32}\n/); // its own, from its metadata
    expect(info).toMatch(/x-amz-meta-colour: blue\n/);
    expect(info).not.toMatch(/sx1/);
    expect(await s3cmd('info', BUCKET)).toMatch(/Location: +us-east-1\n/);
    expect(await s3cmd('du', `${BUCKET}/list/`)).toMatch(/^\s*100\s+1 objects/);
    await s3cmd('del', `${BUCKET}/list/a b ü+`);
    expect(await s3cmd('ls', '--recursive', `${BUCKET}/list/`)).toBe('');
  });

  it('syncs, and a second time transfers nothing', async () => {
    await mkdir(join(folder, 'tree/sub'), { recursive: true });
    await writeFile(join(folder, 'tree/one'), '1');
    await writeFile(join(folder, 'tree/sub/two'), payload(70_000, 52));
    const sync = ['sync', '--check-md5', 'tree/', `${BUCKET}/tree/`];
    expect((await s3cmd(...sync)).match(/^upload:/gm)?.length).toBe(2);
    expect(await s3cmd(...sync)).toBe('');
    await writeFile(join(folder, 'tree/one'), '2'); // the same size: only its MD5 tells
    expect((await s3cmd(...sync)).match(/^upload:/gm)?.length).toBe(1);
    await s3cmd('sync', `${BUCKET}/tree/`, 'back/');
    expect(await readFile(join(folder, 'back/one'), 'utf8')).toBe('2');
    await s3cmd('del', '--recursive', '--force', `${BUCKET}/tree/`);
    expect(await s3cmd('ls', `${BUCKET}/tree/`)).toBe('');
  });

  it('tells what is wrong', async () => {
    const missing = await run('get', '--force', `${BUCKET}/absent`, 'nothing');
    expect([missing.code, missing.stderr]).toEqual([64, expect.stringContaining('does not exist')]);
    const forbidden = await run('ls', 's3://of-another-tenant');
    expect([forbidden.code, forbidden.stderr]).toEqual([77, expect.stringContaining('AccessDenied')]);
  });

  it('copies and moves within the store', async () => {
    await writeFile(join(folder, 'copied'), payload(70_001, 53));
    const put = ['put', '--mime-type', 'text/csv', '--add-header', 'x-amz-meta-colour: blue'];
    await s3cmd(...put, 'copied', `${BUCKET}/one ü+`);
    await s3cmd('cp', `${BUCKET}/one ü+`, `${BUCKET}/two`);
    await s3cmd('mv', `${BUCKET}/two`, `${BUCKET}/three`);
    await s3cmd('modify', '--add-header', 'x-amz-meta-shape: round', `${BUCKET}/three`);
    expect(await s3cmd('ls', `${BUCKET}/two`)).toBe('');
    await s3cmd('get', '--force', `${BUCKET}/three`, 'down');
    expect(await readFile(join(folder, 'down'))).toEqual(payload(70_001, 53));
    const info = await s3cmd('info', `${BUCKET}/three`);
    expect(info).toMatch(/MIME type: text\/csv\n/);
    expect(info).toMatch(/x-amz-meta-colour: blue\n/);
    expect(info).toMatch(/x-amz-meta-shape: round\n/);
  });

  it('uploads in parts by default', async () => {
    const sent = payload(16 * MIB + 5, 99);
    await writeFile(join(folder, 'parts'), sent);
    await s3cmd('put', 'parts', `${BUCKET}/parts`);
    await s3cmd('get', '--force', `${BUCKET}/parts`, 'parts-back');
    expect(sha256(await readFile(join(folder, 'parts-back')))).toBe(sha256(sent));
  });

  it('left no secret in the log', () => {
    expect(stand.gateway.output()).not.toContain(TENANT.secretAccessKey);
  });
});
