import { findOnPath } from '../tools.ts';
import { outputOf, runLogged } from './command.ts';
import { type InstallSite, logFileOf } from './recipe.ts';

const APT_LIMIT_SECONDS = 600;

/**
 * Installs Debian packages. RUNLEVEL=1 keeps a package's init script from starting a service that nobody asked for.
 * Throws when this is no Debian, or when there is neither root nor a sudo that asks no password.
 */
export async function aptInstall(site: InstallSite, packages: readonly string[]): Promise<void> {
  const prefix = await rootPrefix();
  site.say(`apt-get install ${packages.join(' ')}`);
  const apt = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get'];
  const lock = ['-o', 'DPkg::Lock::Timeout=180'];
  const install = [...apt, ...lock, 'install', '-y', '-q', '--no-install-recommends', ...packages];
  const options = { logFile: logFileOf(site, 'apt'), limitSeconds: APT_LIMIT_SECONDS };
  try {
    await runLogged(install, options);
  } catch {
    // A fresh machine has no package lists, an old one has stale ones.
    await runLogged([...apt, ...lock, 'update', '-q'], options);
    await runLogged(install, options);
  }
}

async function rootPrefix(): Promise<string[]> {
  if (!findOnPath(['apt-get'])) throw new Error('there is no apt-get on this machine');
  if (process.getuid?.() === 0) return [];
  if ((await outputOf(['sudo', '-n', 'true'])) !== undefined) return ['sudo', '-n'];
  throw new Error('apt-get needs root, or a sudo that asks no password');
}
