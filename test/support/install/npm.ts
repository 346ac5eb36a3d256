import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runLogged, withRetries } from './command.ts';
import { clearStamp, type InstallSite, logFileOf, writeStamp } from './recipe.ts';

/**
 * The one package `name@version`, without its scripts, as the folder `tool` of the cache; returns its `bin/node`.
 * npm takes what it has in its own cache, and asks the registry only for the rest.
 */
export async function installNpmProgram(site: InstallSite, tool: string, spec: string): Promise<string> {
  const [name = '', version = ''] = spec.split('@');
  site.say(`${tool}: npm install ${spec}`);
  const scratch = join(site.cache, 'building', tool);
  const home = join(site.cache, tool);
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  clearStamp(site, tool);
  const quiet = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts', '--prefer-offline'];
  const options = { logFile: logFileOf(site, tool), limitSeconds: 180, cwd: scratch };
  await withRetries(2, 5, () => runLogged(['npm', 'install', '--prefix', scratch, ...quiet, spec], options));
  rmSync(home, { recursive: true, force: true });
  renameSync(join(scratch, 'node_modules', name), home);
  rmSync(scratch, { recursive: true, force: true });
  writeStamp(site, tool, version);
  return join(home, 'bin/node');
}
