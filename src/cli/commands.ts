import { ConfigError, showProblem } from '../config.ts';
import { checkCommand } from './check.ts';
import { type Command, UsageError } from './command.ts';
import { configCommand } from './config.ts';
import { credentialAdd, credentialList, credentialRevoke } from './credential.ts';
import { describeError } from './describe-error.ts';
import { inspectCommand } from './inspect.ts';
import { keyList } from './key.ts';
import { nearestName } from './nearest-name.ts';
import { openCommand } from './open.ts';
import { quickstartCommand } from './quickstart.ts';
import { serveCommand } from './serve.ts';
import { tenantAdd, tenantList, tenantSet } from './tenant.ts';
import { tenantRemove } from './tenant-remove.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, type Terminal } from './terminal.ts';
import { versionCommand } from './version.ts';

/** Every command, in the overview's order. */
export const COMMANDS: readonly Command[] = [
  quickstartCommand,
  serveCommand,
  checkCommand,
  tenantAdd,
  tenantSet,
  tenantList,
  tenantRemove,
  credentialAdd,
  credentialRevoke,
  credentialList,
  keyList,
  inspectCommand,
  openCommand,
  configCommand,
  versionCommand,
];

/** Runs one command line, the program's name left off. Never throws: @returns the exit code. */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [first] = argv;
  if (first === undefined) {
    terminal.warn(overview(terminal.program, COMMANDS));
    return EXIT_USAGE;
  }
  if (first === '--version' || first === '-v') return versionCommand.run([], terminal);
  if (first === 'help') return runCommandLine([...argv.slice(1), '--help'], terminal);
  const command = findCommand(argv);
  if (command === undefined) return noCommand(argv, terminal);
  const args = argv.slice(command.words.length);
  if (asksHelp(args)) {
    terminal.print(`${command.summary}\n\nUsage: ${terminal.program} ${command.usage}`);
    return EXIT_OK;
  }
  try {
    return await command.run(args, terminal);
  } catch (error) {
    return reportError(error, { command, terminal });
  }
}

function findCommand(argv: readonly string[]): Command | undefined {
  return COMMANDS.find(({ words }) => words.every((word, at) => argv[at] === word));
}

/** `--help` after `--` is an argument like any other. */
function asksHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}

/** A group (`tenant`), a call for help, or a slip of the keyboard. */
function noCommand(argv: readonly string[], terminal: Terminal): number {
  const words = argv.filter((word) => !word.startsWith('-'));
  const group = COMMANDS.filter((command) => command.words.length > 1 && command.words[0] === words[0]);
  const shown = overview(terminal.program, group.length > 0 ? group : COMMANDS);
  if (asksHelp(argv) && (words.length === 0 || (words.length === 1 && group.length > 0))) {
    terminal.print(shown);
    return EXIT_OK;
  }
  const known = COMMANDS.map((command) => command.words.join(' '));
  const meant = nearestName(words.slice(0, 2).join(' '), known) ?? nearestName(words[0] ?? '', known);
  if (group.length === 0 || words.length > 1) {
    const hint = meant === undefined ? '' : ` Did you mean: ${terminal.program} ${meant}?`;
    terminal.warn(`Unknown command: ${argv.slice(0, 2).join(' ')}.${hint}\n`);
  }
  terminal.warn(shown);
  return EXIT_USAGE;
}

function overview(program: string, commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ words }) => words.join(' ').length));
  return [
    'Sealgate: your application keeps its object-storage SDK, the bucket holds ciphertext.',
    '',
    `Usage: ${program} COMMAND …`,
    '',
    ...commands.map(({ words, summary }) => `  ${words.join(' ').padEnd(width)}  ${summary}`),
    '',
    `${program} COMMAND --help says more.`,
  ].join('\n');
}

function reportError(error: unknown, at: { readonly command: Command; readonly terminal: Terminal }): number {
  const { command, terminal } = at;
  if (error instanceof UsageError) {
    terminal.warn(`${error.message}\nSee: ${terminal.program} ${command.words.join(' ')} --help`);
    return EXIT_USAGE;
  }
  if (error instanceof ConfigError) {
    const { problems } = error;
    terminal.warn(`The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:`);
    for (const problem of problems) terminal.warn(`  ✖ ${showProblem(problem)}`);
    return EXIT_FAILED;
  }
  terminal.warn(`✖ ${describeError(error)}`);
  return EXIT_FAILED;
}
