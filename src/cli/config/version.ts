import { readFileSync } from 'node:fs';
import type { Command } from '../shell/command.ts';
import { EXIT_OK } from '../shell/terminal.ts';

export const versionCommand: Command = {
  usage: 'version',
  run: async (_args, terminal) => {
    terminal.print(`sealgate ${packageVersion()}`);
    return EXIT_OK;
  },
};

/** Returns the version in package.json, which lies equally far above src/cli and dist/cli. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}
