import type { Config } from '../../settings/config.ts';
import { createLog, type Log } from '../../telemetry/log.ts';
import type { Terminal } from './terminal.ts';

/** The log of a command that serves, on standard output. Its lines are gathered: the last ones leave as the process ends. */
export function openCommandLog(config: Config, terminal: Terminal): Log {
  const log = createLog({ ...config.log, destination: 1 });
  terminal.onExit(() => {
    try {
      log.flushSync();
    } catch {
      // Standard output is closed: nobody reads them.
    }
  });
  return log;
}
