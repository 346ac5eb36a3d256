import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Config, ConfigError, loadConfig } from '../../settings/config.ts';
import type { Terminal } from './terminal.ts';

const DEFAULT_FILE = 'sealgate.yaml';

/** The most likely reason if settings are missing. */
export const NO_FILE = `there is no ./${DEFAULT_FILE}, so environment variables alone were read; --config FILE names a file`;

/** Returns the file that a command means: --config, else $SEALGATE_CONFIG, else ./sealgate.yaml if there is one. */
export function configFile(option: string | undefined, terminal: Terminal): string | undefined {
  const named = option ?? (terminal.env.SEALGATE_CONFIG || undefined);
  if (named !== undefined) return resolve(terminal.cwd, named);
  const usual = resolve(terminal.cwd, DEFAULT_FILE);
  return existsSync(usual) ? usual : undefined;
}

/**
 * Loads the configuration that a command means.
 * @throws ConfigError with every problem
 */
export function commandConfig(option: string | undefined, terminal: Terminal): Config {
  const file = configFile(option, terminal);
  try {
    return loadConfig({ file, env: terminal.env, cwd: terminal.cwd });
  } catch (error) {
    if (file !== undefined || !(error instanceof ConfigError)) throw error;
    throw new ConfigError([...error.problems, { setting: 'configuration', problem: NO_FILE }]);
  }
}
