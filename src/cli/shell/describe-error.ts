import { GatewayError } from '../../errors.ts';
import { RootKeyInvalid } from '../../keys/root/root-key.ts';
import { SelfTestFailed } from '../../keys/self-test.ts';
import { RevisionConflict } from '../../keys/store/record-store.ts';
import { WorkerStartFailed } from '../../server/workers/crew.ts';
import { ConfigError } from '../../settings/config.ts';
import { CommandFailed } from './command.ts';

/** Describes an error. One that is foreseen is described by its message; a defect shows where it happened. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const foreseen =
    error instanceof CommandFailed ||
    error instanceof ConfigError ||
    error instanceof GatewayError ||
    error instanceof RootKeyInvalid ||
    error instanceof RevisionConflict ||
    error instanceof SelfTestFailed ||
    error instanceof WorkerStartFailed ||
    (error as NodeJS.ErrnoException).syscall !== undefined;
  if (!foreseen) return error.stack ?? error.message;
  const cause = error instanceof GatewayError ? rootCause(error) : undefined;
  return cause === undefined || error.message.includes(cause) ? error.message : `${error.message} (${cause})`;
}

/** Returns the message of the first cause: "connect ECONNREFUSED …" tells an operator more than "not available". */
function rootCause(error: Error): string | undefined {
  let cause = error.cause;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  if (!(cause instanceof Error)) return undefined;
  // node puts several attempts (IPv6, IPv4) into one error that has no message of its own.
  const { errors } = cause as AggregateError;
  return cause.message || (Array.isArray(errors) ? errors.map(String).join(', ') : cause.name);
}
