import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isExecutable, TOOL_PLACES, type ToolName } from '../tools.ts';
import { runLogged, withRetries } from './command.ts';
import { goCommand } from './golang.ts';
import { makeEnvironment } from './python.ts';
import { clearStamp, type InstallSite, logFileOf, type Recipe, readStamp, writeStamp } from './recipe.ts';

/*
 * The SDKs of vendors, by which tests drive the gateway from processes of their own. Each is a program in a folder of the
 * cache, with all that the SDK needs.
 */

/** A Python that has these packages, each `name==version`. */
export function pythonSdk(tool: ToolName, requirements: readonly string[]): Recipe {
  return sdk(tool, 'python', requirements.join(' '), 'install Python 3.10 or later with venv', async (site, home) => {
    await makeEnvironment(site, home);
    const pip = [join(home, 'bin/python'), '-m', 'pip', 'install', '-q', '--disable-pip-version-check'];
    await withRetries(2, 5, () => runLogged([...pip, ...requirements], optionsOf(site, tool)));
  });
}

/** A Node for which `require` finds these packages, each `name@version`. */
export function npmSdk(tool: ToolName, packages: readonly string[]): Recipe {
  return sdk(tool, 'npm', packages.join(' '), 'install Node and npm', async (site, home) => {
    const quiet = ['--no-audit', '--no-fund', '--no-save', '--ignore-scripts', '--prefer-offline'];
    const command = ['npm', 'install', '--prefix', home, ...quiet, ...packages];
    await withRetries(2, 5, () => runLogged(command, { ...optionsOf(site, tool), cwd: home }));
    writeLauncher(site, tool, `NODE_PATH="${home}/node_modules" exec node "$@"`);
  });
}

/** A program that is built of the Go module in this folder. */
export function goSdk(tool: ToolName, source: string): Recipe {
  return sdk(tool, 'go', hashOf(source), 'install Go 1.24 or later', async (site, home) => {
    cpSync(source, home, { recursive: true });
    const options = { ...optionsOf(site, tool), cwd: home, env: { CGO_ENABLED: '0', GOFLAGS: '-mod=mod' } };
    const command = [await goCommand(site), 'build', '-o', join(site.cache, TOOL_PLACES[tool].cached), '.'];
    await withRetries(2, 5, () => runLogged(command, options));
  });
}

/** A program that is compiled of the Java sources in this folder, which has a pom.xml with what they need. */
export function javaSdk(tool: ToolName, source: string, main: string): Recipe {
  return sdk(tool, 'maven', hashOf(source), 'install a JDK, version 11 or later, and Maven', async (site, home) => {
    cpSync(source, home, { recursive: true });
    const options = { ...optionsOf(site, tool), cwd: home };
    const copy = ['mvn', '-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${join(home, 'lib')}`];
    await withRetries(2, 5, () => runLogged(copy, options));
    const files = readdirSync(home).filter((name) => name.endsWith('.java'));
    // Older JDKs go by the locale, which is ASCII where none is set.
    await runLogged(['javac', '-encoding', 'UTF-8', '-cp', 'lib/*', '-d', 'classes', ...files], options);
    writeLauncher(site, tool, `exec java -Dfile.encoding=UTF-8 -cp "${home}/classes:${home}/lib/*" ${main} "$@"`);
  });
}

function sdk(
  tool: ToolName,
  lane: Recipe['lane'],
  version: string,
  byHand: string,
  make: (site: InstallSite, home: string) => Promise<void>,
): Recipe {
  const program = (site: InstallSite) => join(site.cache, TOOL_PLACES[tool].cached);
  return {
    tool,
    lane,
    find: async (site) =>
      readStamp(site, tool) === version && isExecutable(program(site)) ? program(site) : undefined,
    install: async (site) => {
      site.say(`${tool}: ${/^[0-9a-f]{16}$/.test(version) ? 'built from its source in the tests' : version}`);
      const home = join(site.cache, tool);
      clearStamp(site, tool);
      rmSync(home, { recursive: true, force: true });
      mkdirSync(home, { recursive: true });
      await make(site, home);
      writeStamp(site, tool, version);
      return program(site);
    },
    byHand,
  };
}

function writeLauncher(site: InstallSite, tool: ToolName, command: string): void {
  const path = join(site.cache, TOOL_PLACES[tool].cached);
  writeFileSync(path, `#!/bin/sh\n${command}\n`);
  chmodSync(path, 0o755);
}

/** Identifies the files of a folder: another content means another program. */
function hashOf(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder).sort()) hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  return hash.digest('hex').slice(0, 16);
}

function optionsOf(site: InstallSite, tool: ToolName) {
  return { logFile: logFileOf(site, tool), limitSeconds: 600 };
}
