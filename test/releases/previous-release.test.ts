import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../keys/fixture.ts';
import { previousRelease } from './previous-release.ts';

const run = promisify(execFile);

test('a repository without the release’s commit, and without an origin that has it, says what to do', async () => {
  const folder = await temporaryDirectory();
  await run('git', ['-C', folder, 'init', '--quiet']);
  await expect(previousRelease(folder)).rejects.toThrow(/is not in this clone.*fetch --unshallow/s);
});

test('a shallow clone fetches it', async () => {
  const folder = join(await temporaryDirectory(), 'clone');
  const root = join(import.meta.dirname, '../..');
  await run('git', ['clone', '--quiet', '--depth=1', '--no-checkout', `file://${root}`, folder]);
  const release = await previousRelease(folder);
  await access(release.launch);
  await release.remove();
});
