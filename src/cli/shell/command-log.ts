import type { Config } from '../../settings/config.ts';
import { createLog, type Log } from '../../telemetry/log.ts';
import type { Terminal } from './terminal.ts';

/**
 * Opens the log of a command that serves, on standard output. Lines are gathered, so the last ones are written when the
 * process ends.
 */
export function openCommandLog(config: Config, terminal: Terminal): Log {
  const log = createLog({ ...config.log, destination: 1 });
  terminal.onExit(() => {
    try {
      log.flushSync();
    } catch {
      // Standard output is closed, so nobody reads the lines.
    }
  });
  return log;
}
