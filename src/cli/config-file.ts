import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Config, loadConfig } from '../config.ts';
import type { Terminal } from './terminal.ts';

const DEFAULT_FILE = 'sealgate.yaml';

/** The file that a command means: --config, else $SEALGATE_CONFIG, else ./sealgate.yaml if it is there. */
export function configFile(option: string | undefined, terminal: Terminal): string | undefined {
  const named = option ?? (terminal.env.SEALGATE_CONFIG || undefined);
  if (named !== undefined) return resolve(terminal.cwd, named);
  const usual = resolve(terminal.cwd, DEFAULT_FILE);
  return existsSync(usual) ? usual : undefined;
}

/** @throws ConfigError with every problem */
export function commandConfig(option: string | undefined, terminal: Terminal): Config {
  return loadConfig({ file: configFile(option, terminal), env: terminal.env, cwd: terminal.cwd });
}
