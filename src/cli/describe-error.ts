import { ConfigError } from '../config.ts';
import { GatewayError } from '../errors.ts';
import { RevisionConflict } from '../keys/record-store.ts';
import { RootKeyInvalid } from '../keys/root-key.ts';
import { SelfTestFailed } from '../keys/self-test.ts';
import { CommandFailed } from './command.ts';

/** Errors that are foreseen speak for themselves; a defect shows where it is. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const foreseen =
    error instanceof CommandFailed ||
    error instanceof ConfigError ||
    error instanceof GatewayError ||
    error instanceof RootKeyInvalid ||
    error instanceof RevisionConflict ||
    error instanceof SelfTestFailed ||
    (error as NodeJS.ErrnoException).syscall !== undefined;
  return foreseen ? error.message : (error.stack ?? error.message);
}
