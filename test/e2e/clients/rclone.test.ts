import { cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload, sha256 } from '../../support/payload.ts';
import { runProgram, TENANT } from '../../support/servers/gateway.ts';
import { MD5_ETAGS, type Stand, standEmbedded, standOnMinio } from '../../support/servers/stand.ts';
import { tool } from '../../support/tools.ts';

const MIB = 1024 * 1024;
const BUCKET = 'acme-rclone';

/** A provider is a set of habits: Minio's and those of an unknown store. */
const SETTINGS = [
  ['MinIO and Redis', 'Minio', 'opaque', standOnMinio],
  ['the embedded stores', 'Other', 'opaque', standEmbedded],
  ['MinIO and Redis', 'Minio', 'md5', () => standOnMinio(MD5_ETAGS)],
  // Believes in multipart ETags as AWS does, without virtual hosts, which need a name that resolves.
  ['the embedded stores', 'Ceph', 'md5', () => standEmbedded(MD5_ETAGS)],
] as const;

const FILES: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  one: payload(1, 41),
  'with space': payload(65_536, 42),
  'sub/ünïcödé 中文': payload(65_537, 43),
  'sub/plus+%2F&': payload(100, 44),
  large: payload(12 * MIB + 1, 45),
};

describe.each(SETTINGS)('rclone over %s, provider %s, ETags %s', (_name, provider, etags, start) => {
  let folder: string;
  let stand: Stand;

  const run = (args: readonly string[], input = '') =>
    runProgram(tool('rclone'), ['--config', '/dev/null', '--retries', '1', '--low-level-retries', '1', ...args], {
      cwd: folder,
      input,
      env: {
        AWS_CA_BUNDLE: '', // rclone takes it from the environment, and can't use it
        RCLONE_CONFIG_GATE_TYPE: 's3',
        RCLONE_CONFIG_GATE_PROVIDER: provider,
        RCLONE_CONFIG_GATE_ENDPOINT: stand.gateway.endpoint,
        RCLONE_CONFIG_GATE_REGION: 'us-east-1',
        // As docs tell: by default it takes such stores' multipart ETags for MD5s of MD5s.
        ...(provider !== 'Other' && etags === 'opaque' && { RCLONE_CONFIG_GATE_USE_MULTIPART_ETAG: 'false' }),
        RCLONE_CONFIG_GATE_ACCESS_KEY_ID: TENANT.accessKeyId,
        RCLONE_CONFIG_GATE_SECRET_ACCESS_KEY: TENANT.secretAccessKey,
      },
    });

  async function rclone(...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string }> {
    const { code, stdout, stderr } = await run(args);
    expect(code, `${args.join(' ')}\n${stderr}`).toBe(0);
    return { stdout, stderr };
  }

  /** How many files an rclone run with --verbose copied. */
  const copied = (stderr: string) => stderr.match(/: Copied \(/g)?.length ?? 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealgate-rclone-'));
    for (const [name, bytes] of Object.entries(FILES)) {
      await mkdir(join(folder, 'source', name, '..'), { recursive: true });
      await writeFile(join(folder, 'source', name), bytes);
    }
    stand = await start();
    for (const bucket of [BUCKET, `${BUCKET}-other`]) await rclone('mkdir', `gate:${bucket}`);
  });

  afterAll(async () => {
    await stand?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('copies, and check finds every byte', async () => {
    const { stderr } = await rclone('copy', '--verbose', 'source', `gate:${BUCKET}/copy`);
    expect(copied(stderr)).toBe(Object.keys(FILES).length);
    await rclone('check', 'source', `gate:${BUCKET}/copy`);
    const { stderr: checked } = await rclone('check', '--download', 'source', `gate:${BUCKET}/copy`);
    expect(checked).toContain('0 differences found');
    expect(checked).toContain(`${Object.keys(FILES).length} matching files`);
    await rclone('copy', '--multi-thread-streams', '4', '--multi-thread-cutoff', '1M', `gate:${BUCKET}/copy`, 'target');
    await rclone('check', 'source', 'target');
  });

  it('check finds what differs', async () => {
    await cp(join(folder, 'source'), join(folder, 'changed'), { recursive: true });
    await writeFile(join(folder, 'changed/one'), '?');
    const { code, stderr } = await run(['check', '--download', 'changed', `gate:${BUCKET}/copy`]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('1 differences found')]);
  });

  it('lists sizes and the times that it stored', async () => {
    const time = new Date('2024-05-06T07:08:09.500Z');
    await utimes(join(folder, 'source/one'), time, time);
    await rclone('copy', 'source', `gate:${BUCKET}/times`);
    const { stdout } = await rclone('lsjson', '--recursive', '--files-only', `gate:${BUCKET}/times`);
    const entries = JSON.parse(stdout) as { Path: string; Size: number; ModTime: string }[];
    expect(Object.fromEntries(entries.map(({ Path, Size }) => [Path, Size]))).toEqual(
      Object.fromEntries(Object.entries(FILES).map(([name, bytes]) => [name, bytes.length])),
    );
    const one = entries.find(({ Path }) => Path === 'one');
    expect(new Date(one?.ModTime ?? '').toISOString()).toBe(time.toISOString());
  });

  it('syncs; a second time it transfers nothing, then only what changed', async () => {
    const sync = ['sync', '--verbose', 'mirror', `gate:${BUCKET}/mirror`];
    await cp(join(folder, 'source'), join(folder, 'mirror'), { recursive: true });
    expect(copied((await rclone(...sync)).stderr)).toBe(Object.keys(FILES).length);
    const { stderr: again } = await rclone(...sync);
    expect([copied(again), again]).toEqual([0, expect.stringContaining('There was nothing to transfer')]);
    await writeFile(join(folder, 'mirror/one'), 'changed');
    await rm(join(folder, 'mirror/empty'));
    const { stderr: changes } = await rclone(...sync);
    expect([copied(changes), changes.match(/: Deleted/g)?.length]).toEqual([1, 1]);
    await rclone('check', '--download', 'mirror', `gate:${BUCKET}/mirror`);
    await rclone('purge', `gate:${BUCKET}/mirror`);
    expect((await rclone('lsf', `gate:${BUCKET}`)).stdout).not.toContain('mirror');
  });

  it('streams in, and reads a part', async () => {
    expect((await run(['rcat', `gate:${BUCKET}/streamed`], 'by a pipe')).code).toBe(0);
    expect((await rclone('cat', '--offset', '3', '--count', '1', `gate:${BUCKET}/streamed`)).stdout).toBe('a');
  });

  it('copies and moves within the store, and check finds every byte', async () => {
    const { stderr } = await rclone('copy', '--verbose', `gate:${BUCKET}/copy`, `gate:${BUCKET}/again`);
    expect(stderr.match(/Copied \(server-side copy\)/g)?.length).toBe(Object.keys(FILES).length);
    await rclone('move', '--verbose', `gate:${BUCKET}/again`, `gate:${BUCKET}-other/moved`);
    await rclone('check', '--download', 'source', `gate:${BUCKET}-other/moved`);
    expect((await rclone('lsf', `gate:${BUCKET}`)).stdout).not.toContain('again');
    const { stderr: synced } = await rclone('sync', '--verbose', `gate:${BUCKET}/copy`, `gate:${BUCKET}-other/moved`);
    expect([copied(synced), synced]).toEqual([0, expect.stringContaining('There was nothing to transfer')]);
    await rclone('moveto', `gate:${BUCKET}-other/moved/one`, `gate:${BUCKET}-other/two`);
    await rclone('copyto', `gate:${BUCKET}-other/two`, `gate:${BUCKET}/three`);
    expect((await rclone('cat', `gate:${BUCKET}/three`)).stdout).toBe(FILES.one?.toString('utf8'));
  });

  it('copies large files within the store in parts', async () => {
    const { stderr } = await rclone(
      ...['copyto', '--verbose', '--s3-copy-cutoff', '5M', '--s3-chunk-size', '5M'],
      ...[`gate:${BUCKET}/copy/large`, `gate:${BUCKET}-other/in-parts`],
    );
    expect(stderr).toContain('Copied (server-side copy)');
    await rclone('copyto', `gate:${BUCKET}-other/in-parts`, 'in-parts');
    expect((await readFile(join(folder, 'in-parts'))).equals(FILES.large as Buffer)).toBe(true);
  });

  it('touches: new times by a copy onto itself', async () => {
    await rclone('copyto', 'source/one', `gate:${BUCKET}/touched`);
    await rclone('touch', '--timestamp', '2020-01-02T03:04:05', `gate:${BUCKET}/touched`);
    const { stdout } = await rclone('lsl', `gate:${BUCKET}/touched`);
    expect(stdout).toContain(' 1 2020-01-02 03:04:05');
    expect((await rclone('cat', `gate:${BUCKET}/touched`)).stdout).toBe(FILES.one?.toString('utf8'));
  });

  it('uploads in parts, files and what comes by a pipe', async () => {
    await rclone('copyto', '--s3-upload-cutoff', '5M', '--s3-chunk-size', '5M', 'source/large', `gate:${BUCKET}/parts`);
    await rclone('copyto', `gate:${BUCKET}/parts`, 'parts-back');
    expect(sha256(await readFile(join(folder, 'parts-back')))).toBe(sha256(FILES.large as Buffer));
    const piped = payload(13 * MIB, 46);
    const { code } = await run(['rcat', '--s3-chunk-size', '5M', `gate:${BUCKET}/piped`], piped.toString('base64'));
    expect(code).toBe(0);
    expect((await rclone('cat', `gate:${BUCKET}/piped`)).stdout).toBe(piped.toString('base64'));
  });

  it('left no secret in the log', () => {
    expect(stand.gateway.output()).not.toContain(TENANT.secretAccessKey);
  });
});
