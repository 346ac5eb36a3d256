import { createInterface } from 'node:readline/promises';
import { runCommandLine } from './cli/commands.ts';
import type { Terminal } from './cli/shell/terminal.ts';

/** npm runs scripts in the package's folder; what people type counts from where they are. */
const NPM_SCRIPTS = ['start', 'sealgate'];
const throughNpm = NPM_SCRIPTS.includes(process.env.npm_lifecycle_event ?? '');

const SAME_CTRL_C_MILLISECONDS = 500;
const PARENT_CHECK_MILLISECONDS = 500;
const stopping = new AbortController();
let listening = false;

/** Signals are taken over only by commands that ask for them: Ctrl-C ends the others at once. */
function stopSignal(): AbortSignal {
  if (listening) return stopping.signal;
  listening = true;
  let firstAt = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // A second Ctrl-C: somebody does not want to wait. But npm passes the first one on, so it comes twice at once.
      if (stopping.signal.aborted && name === 'SIGINT' && Date.now() - firstAt > SAME_CTRL_C_MILLISECONDS) {
        process.exit(130);
      }
      firstAt ||= Date.now();
      stopping.abort();
    });
  }
  if (throughNpm) stopWithParent();
  return stopping.signal;
}

/** npm passes SIGTERM to its shell, and the shell dies of it without a word to us. */
function stopWithParent(): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) stopping.abort();
  }, PARENT_CHECK_MILLISECONDS);
  timer.unref();
}

const lastWork: (() => void)[] = [];
// Whatever ends the process: a command's return, a second Ctrl-C, a closed pipe, a defect.
process.once('exit', () => {
  for (const work of lastWork) work();
});

const terminal: Terminal = {
  env: process.env,
  cwd: (throughNpm && process.env.INIT_CWD) || process.cwd(),
  interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
  print: (text) => void process.stdout.write(`${text}\n`),
  warn: (text) => void process.stderr.write(`${text}\n`),
  write: (bytes) =>
    new Promise((resolve, reject) => {
      process.stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
    }),
  ask: async (question) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    // At the end of input (Ctrl-D) question() would wait for ever.
    const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    try {
      return await Promise.race([lines.question(question), ended]);
    } finally {
      lines.close();
    }
  },
  get stop() {
    return stopSignal();
  },
  onReload: (work) => void process.on('SIGHUP', work),
  onExit: (work) => void lastWork.push(work),
  now: () => new Date(),
  program: throughNpm ? 'npm run -s sealgate --' : 'sealgate',
};

// `sealgate config | head` is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

process.exit(await runCommandLine(process.argv.slice(2), terminal));
