import { ConfigError, showProblem } from '../settings/config.ts';
import { nearestName } from '../settings/nearest-name.ts';
import { type Command, UsageError } from './shell/command.ts';
import { describeError } from './shell/describe-error.ts';
import { EXIT_FAILED, EXIT_OK, EXIT_USAGE, type Terminal } from './shell/terminal.ts';

/**
 * A command as the overview shows it. Its file is loaded only when it is called, because most commands need most of the
 * program.
 */
interface CommandEntry {
  /** The words that call it, such as `['tenant', 'add']`. */
  readonly words: readonly string[];
  /** What it does, in one line. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Every command, in the order of the overview. */
const COMMANDS: readonly CommandEntry[] = [
  {
    words: ['quickstart'],
    summary: 'Try it: a gateway with an embedded store, ready in a second.',
    load: async () => (await import('./quickstart/quickstart.ts')).quickstartCommand,
  },
  {
    words: ['serve'],
    summary: 'Run the gateway until Ctrl-C or SIGTERM; requests in flight finish first.',
    load: async () => (await import('./serve/serve.ts')).serveCommand,
  },
  {
    words: ['check'],
    summary: 'Try a configuration: every problem at once, and a probe object that must be ciphertext at rest.',
    load: async () => (await import('./check/check.ts')).checkCommand,
  },
  {
    words: ['tenant', 'add'],
    summary: 'Create a tenant with a key ring; print its access key and secret once.',
    load: async () => (await import('./tenant/tenant.ts')).tenantAdd,
  },
  {
    words: ['tenant', 'set'],
    summary: 'Change a tenant’s buckets and their policies, or another of its settings.',
    load: async () => (await import('./tenant/tenant.ts')).tenantSet,
  },
  {
    words: ['tenant', 'list'],
    summary: 'List tenants, their buckets and settings.',
    load: async () => (await import('./tenant/tenant.ts')).tenantList,
  },
  {
    words: ['tenant', 'remove'],
    summary: 'Remove a tenant, its access keys and, for ever, its keys.',
    load: async () => (await import('./tenant/tenant-remove.ts')).tenantRemove,
  },
  {
    words: ['tenant', 'wrap-key'],
    summary: 'Write the wrap key of one tenant, for a sidecar that serves it alone.',
    load: async () => (await import('./tenant/tenant-wrap-key.ts')).tenantWrapKey,
  },
  {
    words: ['credential', 'add'],
    summary: 'Give a tenant another access key; print it once.',
    load: async () => (await import('./tenant/credential.ts')).credentialAdd,
  },
  {
    words: ['credential', 'set'],
    summary: 'Change the backend access key that an access key’s requests use.',
    load: async () => (await import('./tenant/credential.ts')).credentialSet,
  },
  {
    words: ['credential', 'revoke'],
    summary: 'Take an access key back; requests with it are refused within a second.',
    load: async () => (await import('./tenant/credential.ts')).credentialRevoke,
  },
  {
    words: ['credential', 'list'],
    summary: 'List access keys, never secrets.',
    load: async () => (await import('./tenant/credential.ts')).credentialList,
  },
  {
    words: ['key', 'add'],
    summary: 'Give a tenant a named key, for which its clients may ask (SSE-KMS).',
    load: async () => (await import('./key/key.ts')).keyAdd,
  },
  {
    words: ['key', 'list'],
    summary: 'List key rings, their names and versions, never keys.',
    load: async () => (await import('./key/key.ts')).keyList,
  },
  {
    words: ['key', 'accept-generation'],
    summary: 'Make a key store that you restored from a backup count as it is.',
    load: async () => (await import('./key/key-accept.ts')).keyAcceptGeneration,
  },
  {
    words: ['customer-key', 'add'],
    summary: 'Register a key that clients send themselves, for buckets that take registered ones only.',
    load: async () => (await import('./key/customer-key.ts')).customerKeyAdd,
  },
  {
    words: ['customer-key', 'list'],
    summary: 'List the registered customer keys of a tenant by their fingerprints.',
    load: async () => (await import('./key/customer-key.ts')).customerKeyList,
  },
  {
    words: ['customer-key', 'remove'],
    summary: 'Forget a registered customer key.',
    load: async () => (await import('./key/customer-key.ts')).customerKeyRemove,
  },
  {
    words: ['policy', 'apply'],
    summary: 'Put the rules of a file in force: what clients may do with buckets, and how.',
    load: async () => (await import('./policy/policy-apply.ts')).policyApply,
  },
  {
    words: ['policy', 'show'],
    summary: 'Show the rules that are in force.',
    load: async () => (await import('./policy/policy-show.ts')).policyShow,
  },
  {
    words: ['policy', 'explain'],
    summary: 'Say what holds for an operation in a bucket, and which rule says so.',
    load: async () => (await import('./policy/policy-explain.ts')).policyExplain,
  },
  {
    words: ['log', 'hash'],
    summary: 'Tell how the key of an object stands in the log, to find its lines.',
    load: async () => (await import('./config/log-hash.ts')).logHash,
  },
  {
    words: ['inspect'],
    summary: 'Explain a sealed object: header, layout, key version. Prints no secret.',
    load: async () => (await import('./object/inspect.ts')).inspectCommand,
  },
  {
    words: ['open'],
    summary: 'Decrypt a sealed object, gateway or not: the way out.',
    load: async () => (await import('./object/open.ts')).openCommand,
  },
  {
    words: ['repair'],
    summary: 'Make objects readable again whose metadata the store did not keep.',
    load: async () => (await import('./object/repair.ts')).repairCommand,
  },
  {
    words: ['config'],
    summary: 'Print every setting with its default and meaning.',
    load: async () => (await import('./config/config.ts')).configCommand,
  },
  {
    words: ['version'],
    summary: 'Print the version.',
    load: async () => (await import('./config/version.ts')).versionCommand,
  },
];

/**
 * Runs one command line, without the program's name. It never throws.
 * @returns the exit code
 */
export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [first] = argv;
  if (first === undefined) {
    terminal.warn(overview(terminal.program, COMMANDS));
    return EXIT_USAGE;
  }
  if (first === '--version' || first === '-v') return runCommandLine(['version'], terminal);
  if (first === 'help') return runCommandLine([...argv.slice(1), '--help'], terminal);
  const entry = findCommand(argv);
  if (entry === undefined) return noCommand(argv, terminal);
  const command = await entry.load();
  const args = argv.slice(entry.words.length);
  if (asksHelp(args)) {
    terminal.print(`${entry.summary}\n\nUsage: ${terminal.program} ${command.usage}`);
    return EXIT_OK;
  }
  try {
    return await command.run(args, terminal);
  } catch (error) {
    return reportError(error, { words: entry.words, terminal });
  }
}

function findCommand(argv: readonly string[]): CommandEntry | undefined {
  return COMMANDS.find(({ words }) => words.every((word, at) => argv[at] === word));
}

/** Whether help is asked for. `--help` after `--` is an argument like any other. */
function asksHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).some((arg) => arg === '--help' || arg === '-h');
}

/** Handles words that are no command: a group such as `tenant`, a call for help, or a typing mistake. */
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

function overview(program: string, commands: readonly CommandEntry[]): string {
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

function reportError(error: unknown, at: { readonly words: readonly string[]; readonly terminal: Terminal }): number {
  const { words, terminal } = at;
  if (error instanceof UsageError) {
    terminal.warn(`${error.message}\nSee: ${terminal.program} ${words.join(' ')} --help`);
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
