import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RELEASES, type Release } from './fixture.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

/** The tree of the release before this commit, ready to run. */
export interface PreviousRelease {
  readonly name: string;
  /** Its `src/launch.js`. */
  readonly launch: string;
  remove(): Promise<void>;
}

/**
 * Takes the previous release out of git. A clone without that commit fetches it from its origin. The release runs with
 * the dependencies of this tree: if a release needs others, it needs an installation of its own here.
 * @throws Error that says what to do, if the commit cannot be had
 */
export async function previousRelease(root = ROOT): Promise<PreviousRelease> {
  const releases: readonly Release[] = JSON.parse(await readFile(join(RELEASES, 'releases.json'), 'utf8'));
  const { name, commit } = releases.at(-1) as Release;
  const git = (...args: readonly string[]) => run('git', ['-C', root, ...args]);
  const has = () =>
    git('cat-file', '-e', `${commit}^{commit}`).then(
      () => true,
      () => false,
    );
  if (!(await has())) {
    await git('fetch', '--quiet', '--depth=1', 'origin', commit).catch((error: { stderr?: string }) => {
      throw new Error(
        `Release ${name}, commit ${commit}, is not in this clone, and fetching it failed: ${error.stderr}` +
          'Use a clone with its history: git fetch --unshallow (in CI: fetch-depth 0).',
      );
    });
  }
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-previous-'));
  const archive = join(folder, 'tree.tar');
  await git('archive', '--output', archive, commit, 'src', 'package.json');
  await run('tar', ['-xf', archive, '-C', folder]);
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return {
    name,
    launch: join(folder, 'src/launch.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
