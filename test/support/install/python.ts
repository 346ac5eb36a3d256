import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, isExecutable } from '../tools.ts';
import { outputOf, runLogged, withRetries } from './command.ts';
import { aptInstall } from './debian.ts';
import { clearStamp, compareVersions, type InstallSite, logFileOf, readStamp, writeStamp } from './recipe.ts';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const OLDEST_PYTHON = '3.10';
/** Within the cache. */
export const PYTHON_FOLDER = 'python-clients';
const STAMP = PYTHON_FOLDER;

/** Identifies the pinned packages: another list means a new environment. */
function wantedVersion(): string {
  return createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16);
}

/** A program of the environment in the cache, when that environment is whole and of the pinned versions. */
export async function findPythonProgram(site: InstallSite, program: string): Promise<string | undefined> {
  const path = join(site.cache, PYTHON_FOLDER, 'bin', program);
  if (readStamp(site, STAMP) !== wantedVersion() || !isExecutable(path)) return undefined;
  // The environment points to the interpreter that made it, which an upgrade of the system may have removed.
  const python = join(site.cache, PYTHON_FOLDER, 'bin/python');
  return (await outputOf([python, '-c', 'import boto3, kubernetes_validate, pyarrow'])) === undefined
    ? undefined
    : path;
}

/** Makes the environment anew from requirements.txt. It sees none of the host's packages. */
export async function installPythonPrograms(site: InstallSite): Promise<void> {
  const home = join(site.cache, PYTHON_FOLDER);
  clearStamp(site, STAMP);
  await makeEnvironment(site, home);
  const pip = [join(home, 'bin/python'), '-m', 'pip', 'install', '-q', '--disable-pip-version-check'];
  const options = pipOptions(site);
  await withRetries(2, 5, () => runLogged([...pip, '-r', REQUIREMENTS], options));
  writeStamp(site, STAMP, wantedVersion());
}

/** One package without what it depends on, as a folder of the cache. Needs the environment of `installPythonPrograms`. */
export async function installPythonFolder(site: InstallSite, name: string, requirement: string): Promise<string> {
  const python = await findPythonProgram(site, 'python');
  if (python === undefined)
    throw new Error('its package is fetched by the Python of the other clients, which is missing');
  const folder = join(site.cache, 'building', name);
  rmSync(folder, { recursive: true, force: true });
  const quiet = ['-q', '--disable-pip-version-check', '--no-deps', '--target', folder];
  await withRetries(2, 5, () => runLogged([python, '-m', 'pip', 'install', ...quiet, requirement], pipOptions(site)));
  return folder;
}

/** Makes an empty environment. */
export async function makeEnvironment(site: InstallSite, home: string): Promise<void> {
  for (const python of await pythons()) {
    rmSync(home, { recursive: true, force: true });
    const made = await runLogged([python, '-m', 'venv', home], pipOptions(site)).then(
      () => true,
      () => false,
    );
    if (made) return;
  }
  // Debian ships Python without venv, or no Python at all.
  await aptInstall(site, ['python3', 'python3-venv']);
  rmSync(home, { recursive: true, force: true });
  await runLogged(['/usr/bin/python3', '-m', 'venv', home], pipOptions(site));
}

async function pythons(): Promise<string[]> {
  const found: string[] = [];
  for (const name of ['python3', '/usr/bin/python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10']) {
    const path = findOnPath([name]);
    if (!path || found.includes(path)) continue;
    const version = /Python ([\d.]+)/.exec((await outputOf([path, '--version'])) ?? '')?.[1];
    if (version && compareVersions(version, OLDEST_PYTHON) >= 0) found.push(path);
  }
  return found;
}

function pipOptions(site: InstallSite) {
  const env = { PYTHONNOUSERSITE: '1', PYTHONPATH: '', PIP_REQUIRE_VIRTUALENV: '0', PIP_USER: '0' };
  return { logFile: logFileOf(site, 'python'), env, limitSeconds: 600 };
}
