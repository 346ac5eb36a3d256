import { createInterface } from 'node:readline/promises';
import { runCommandLine } from './cli/commands.ts';
import type { Terminal } from './cli/shell/terminal.ts';

/** npm runs scripts in the package's folder, but paths that people type refer to the folder where they are. */
const NPM_SCRIPTS = ['start', 'sealgate'];
const throughNpm = NPM_SCRIPTS.includes(process.env.npm_lifecycle_event ?? '');

const SAME_CTRL_C_MILLISECONDS = 500;
const PARENT_CHECK_MILLISECONDS = 500;
const stopping = new AbortController();
let listening = false;

/**
 * Returns the signal for stopping. Only commands that call this handle signals themselves; Ctrl-C ends the others at
 * once.
 */
function stopSignal(): AbortSignal {
  if (listening) return stopping.signal;
  listening = true;
  let firstAt = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // A second Ctrl-C ends the process, because somebody does not want to wait. npm passes the first one on, so that
      // one comes twice at once.
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

/** Stops when the parent process ends: npm passes SIGTERM to its shell, which dies of it without passing it on. */
function stopWithParent(): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) stopping.abort();
  }, PARENT_CHECK_MILLISECONDS);
  timer.unref();
}

const lastWork: (() => void)[] = [];
// This runs whatever ends the process: the command's return, a second Ctrl-C, a closed pipe, or a defect.
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
    // At the end of input (Ctrl-D), question() alone would wait for ever.
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

// A reader that closes the pipe, as in `sealgate config | head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

process.exit(await runCommandLine(process.argv.slice(2), terminal));
