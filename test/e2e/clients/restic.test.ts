import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { payload, sha256 } from '../../support/payload.ts';
import { runProgram, TENANT } from '../../support/servers/gateway.ts';
import { awsEnvironment, type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { tool } from '../../support/tools.ts';

const MIB = 1024 * 1024;

/** A backup is read once, in need: then every byte counts. Packs of 4 to 16 MiB, read in ranges, locks, small indexes. */
describe('restic over MinIO and Redis', () => {
  let folder: string;
  let stand: Stand;

  const files: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    small: payload(100, 81),
    'sub/large': payload(24 * MIB + 7, 82),
  };
  for (let at = 0; at < 60; at++) files[`many/${at}`] = payload(1_000 + 997 * at, 100 + at);

  const run = (...args: readonly string[]) =>
    runProgram(tool('restic'), ['--no-cache', ...args], {
      cwd: folder,
      env: {
        ...awsEnvironment(),
        RESTIC_REPOSITORY: `s3:${stand.gateway.endpoint}/acme-restic/repository`,
        RESTIC_PASSWORD: 'of this test alone',
      },
    });

  async function restic(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await run(...args);
    expect(code, `${args.join(' ')}\n${stdout}${stderr}`).toBe(0);
    return stdout;
  }

  interface Summary {
    readonly message_type: string;
    readonly files_new: number;
    readonly files_changed: number;
    readonly files_unmodified: number;
    readonly data_blobs: number;
  }

  async function backup(): Promise<Summary | undefined> {
    const lines = (await restic('backup', '--json', 'data')).trim().split('\n');
    return lines.map((line) => JSON.parse(line) as Summary).find((line) => line.message_type === 'summary');
  }

  async function expectRestored(snapshot: string): Promise<void> {
    await restic('restore', snapshot, '--target', snapshot);
    for (const [name, bytes] of Object.entries(files)) {
      expect(sha256(await readFile(join(folder, snapshot, 'data', name))), name).toBe(sha256(bytes));
    }
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealgate-restic-'));
    for (const [name, bytes] of Object.entries(files)) {
      await mkdir(join(folder, 'data', name, '..'), { recursive: true });
      await writeFile(join(folder, 'data', name), bytes);
    }
    stand = await standOnMinio();
    await restic('init'); // makes the bucket, too
  });

  afterAll(async () => {
    await stand?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('backs up, and a second time stores nothing new', async () => {
    expect(await backup()).toMatchObject({ files_new: Object.keys(files).length });
    expect(await backup()).toMatchObject({
      files_new: 0,
      files_changed: 0,
      files_unmodified: Object.keys(files).length,
      data_blobs: 0,
    });
  });

  it('checks every byte of what it stored', async () => {
    expect(await restic('check', '--read-data')).toContain('no errors were found');
  });

  it('restores every byte, after pruning too', async () => {
    await expectRestored('latest');
    await rm(join(folder, 'latest'), { recursive: true });
    files.small = payload(200, 83);
    await writeFile(join(folder, 'data/small'), files.small);
    expect(await backup()).toMatchObject({ files_changed: 1 });
    await restic('forget', '--keep-last', '1', '--prune', '--max-unused', '0');
    expect(await restic('check', '--read-data')).toContain('no errors were found');
    await expectRestored('latest');
  });

  it('leaves no lock behind, and no secret in the log', async () => {
    expect(await restic('list', 'locks', '--no-lock')).toBe('');
    expect(stand.gateway.output()).not.toContain(TENANT.secretAccessKey);
  });
});
