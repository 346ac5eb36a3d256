import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { nearestName } from '../../settings/nearest-name.ts';
import type { Terminal } from './terminal.ts';

/** A command, beside its row in src/cli/commands.ts. */
export interface Command {
  /** What `--help` prints after `Usage: `. */
  readonly usage: string;
  /** @returns the exit code */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

/** The command line is wrong: exit code 2, with a pointer to the command's help. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** The command cannot be carried out, for a reason that a person can change: exit code 1, with the message alone. */
export class CommandFailed extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CommandFailed';
  }
}

/** Options that several commands share. */
export const CONFIG_OPTION = { config: { type: 'string', short: 'c' } } as const;
export const JSON_OPTION = { json: { type: 'boolean' } } as const;

export const CONFIG_USAGE = `  -c, --config FILE   The configuration. Without it: $SEALGATE_CONFIG, else ./sealgate.yaml,
                      else environment variables alone.`;
export const JSON_USAGE = '      --json          Print JSON for scripts.';

/**
 * Reads options and positional arguments.
 * @throws UsageError for an unknown option (it names the nearest known one) or too many arguments
 */
export function readArguments<const O extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: O,
  { most }: { readonly most: number },
) {
  try {
    const read = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    if (read.positionals.length > most) {
      throw new UsageError(`Unexpected argument: ${read.positionals[most]}`);
    }
    return read;
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof TypeError)) throw error;
    throw new UsageError(describeParseError(error, Object.keys(options)));
  }
}

function describeParseError(error: TypeError, known: readonly string[]): string {
  const unknown = /^Unknown option '(--?[^']*)'/.exec(error.message)?.[1];
  if (unknown === undefined) return error.message;
  const meant = nearestName(unknown.replace(/^-+/, ''), known);
  return `Unknown option ${unknown}.${meant === undefined ? '' : ` Did you mean --${meant}?`}`;
}

/**
 * Returns a value that must be given.
 * @throws UsageError that names what is missing
 */
export function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new UsageError(`${name} is missing.`);
  return value;
}
