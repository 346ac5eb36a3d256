import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload } from '../../../support/payload.ts';
import { STORE_STANDS } from '../../../support/servers/every-store.ts';
import { runProgram, TENANT } from '../../../support/servers/gateway.ts';
import { MD5_ETAGS, type Stand } from '../../../support/servers/stand.ts';
import { tool } from '../../../support/tools.ts';

const MIB = 1024 * 1024;
const BUCKET = 'acme-rclone-qs';
const HOST = 'gateway.test';

const FILES: Readonly<Record<string, Buffer>> = {
  one: payload(1, 41),
  'my backup/a b': payload(65_536, 42),
  'my backup/sub folder/ünïcödé 中文': payload(65_537, 43),
  'plus+&': payload(100, 44),
  large: payload(9 * MIB + 1, 45),
};

/**
 * rclone's own backend for QingStor, with qingstor-sdk-go. It always puts a zone before the host, which no resolver of
 * this machine knows, so the gateway is its HTTP proxy, too: that hands it the requests with whole URLs.
 */
describe.each(STORE_STANDS)('rclone’s QingStor backend over %s', (_name, start) => {
  let folder: string;
  let stand: Stand;

  const run = (args: readonly string[]) =>
    runProgram(
      tool('rclone-qingstor'),
      ['--config', '/dev/null', '--retries', '1', '--low-level-retries', '1', ...args],
      {
        cwd: folder,
        env: {
          HTTP_PROXY: stand.gateway.endpoint,
          http_proxy: stand.gateway.endpoint,
          NO_PROXY: '',
          RCLONE_CONFIG_QS_TYPE: 'qingstor',
          RCLONE_CONFIG_QS_ENDPOINT: `http://${HOST}:80`,
          RCLONE_CONFIG_QS_ACCESS_KEY_ID: TENANT.accessKeyId,
          RCLONE_CONFIG_QS_SECRET_ACCESS_KEY: TENANT.secretAccessKey,
          RCLONE_CONFIG_QS_CONNECTION_RETRIES: '1',
          RCLONE_CONFIG_QS_CHUNK_SIZE: '4Mi',
          RCLONE_CONFIG_QS_UPLOAD_CUTOFF: '8Mi',
        },
      },
    );

  async function rclone(...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
    const { code, stdout, stderr } = await run(args);
    expect(code, `${args.join(' ')}\n${stderr}`).toBe(0);
    return { stdout, stderr };
  }

  const listed = async (place: string) =>
    (await rclone('lsf', '-R', '--files-only', '--format', 'sp', place)).stdout.trimEnd().split('\n').sort();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealgate-rclone-qs-'));
    for (const [name, bytes] of Object.entries(FILES)) {
      await mkdir(join(folder, 'source', name, '..'), { recursive: true });
      await writeFile(join(folder, 'source', name), bytes);
    }
    stand = await start({ ...MD5_ETAGS, more: { domains: [HOST] } });
    await rclone('mkdir', `qs:${BUCKET}`);
  });

  afterAll(async () => {
    await stand?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('uploads, in parts from 0 without ETags where files are large, and finds every byte', async () => {
    await rclone('copy', 'source', `qs:${BUCKET}/copy`);
    await rclone('check', '--download', 'source', `qs:${BUCKET}/copy`);
    const sizes = Object.entries(FILES).map(([name, bytes]) => `${bytes.length};${name}`);
    expect(await listed(`qs:${BUCKET}/copy`)).toEqual(sizes.sort());
    const { stderr } = await rclone('check', '--verbose', 'source', `qs:${BUCKET}/copy`);
    expect(stderr).toMatch(/0 differences found/);
  });

  it('syncs a folder whose name has blanks, and deletes nothing of it', async () => {
    await rclone('copy', 'source', `qs:${BUCKET}/sync`);
    await rclone('copy', 'source', 'target');
    await rclone('sync', `qs:${BUCKET}/sync/my backup`, 'target/my backup');
    await rclone('check', '--download', 'source', 'target');
  });

  it('copies and moves within the store', async () => {
    await rclone('copy', 'source', `qs:${BUCKET}/from`);
    await rclone('copy', `qs:${BUCKET}/from`, `qs:${BUCKET}/copied`);
    await rclone('check', '--download', 'source', `qs:${BUCKET}/copied`);
    await rclone('move', `qs:${BUCKET}/from`, `qs:${BUCKET}/moved to`);
    await rclone('check', '--download', 'source', `qs:${BUCKET}/moved to`);
    expect(await listed(`qs:${BUCKET}/from`)).toEqual(['']);
  });

  it('sets the time of an object by a copy onto itself, and keeps its bytes', async () => {
    await rclone('copy', 'source', `qs:${BUCKET}/times`);
    await utimes(join(folder, 'source/one'), new Date('2001-02-03'), new Date('2001-02-03'));
    await rclone('touch', '--timestamp', '2001-02-03T00:00:00', `qs:${BUCKET}/times/one`);
    await rclone('check', '--download', 'source', `qs:${BUCKET}/times`);
  });

  it('reads ranges, deletes, and removes buckets that are empty, and no others', async () => {
    await rclone('copy', 'source', `qs:${BUCKET}/some`);
    const part = await rclone('cat', '--offset', '1', '--count', '3', `qs:${BUCKET}/some/plus+&`);
    expect(Buffer.byteLength(part.stdout) > 0).toBe(true);
    await rclone('delete', `qs:${BUCKET}/some/my backup`);
    expect(await listed(`qs:${BUCKET}/some`)).toHaveLength(3);
    await rclone('mkdir', 'qs:acme-rclone-empty');
    expect((await rclone('lsd', 'qs:')).stdout).toContain('acme-rclone-empty');
    expect((await run(['rmdir', `qs:${BUCKET}`])).code).not.toBe(0);
    await rclone('rmdir', 'qs:acme-rclone-empty');
    expect((await rclone('lsd', 'qs:')).stdout).not.toContain('acme-rclone-empty');
  });
});
