import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** A command that did not exit with 0; the message ends with the last lines that it printed. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

export interface CommandOptions {
  /** Everything the command prints goes here. */
  readonly logFile: string;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly limitSeconds: number;
}

const SHOWN_LOG_LINES = 15;

/** Runs a command quietly. Throws CommandFailed with the end of its output. */
export async function runLogged(command: readonly string[], options: CommandOptions): Promise<void> {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  try {
    const outcome = await exitOf(command, options, log);
    if (outcome === 0) return;
    const text = `"${command.join(' ')}" ended with ${outcome}`;
    throw new CommandFailed(`${text}; the end of ${options.logFile}:\n${lastLines(options.logFile)}`);
  } finally {
    closeSync(log);
  }
}

function exitOf(command: readonly string[], options: CommandOptions, log: number): Promise<number | string> {
  const [program = '', ...rest] = command;
  return new Promise((resolve) => {
    const child = spawn(program, rest, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', log, log],
      timeout: options.limitSeconds * 1000,
    });
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(code ?? `signal ${signal} (limit: ${options.limitSeconds} s)`));
  });
}

function lastLines(path: string): string {
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-SHOWN_LOG_LINES).join('\n');
}

/** What a command prints (both streams), or undefined when it can't be run or fails. */
export function outputOf(command: readonly string[], limitSeconds = 30): Promise<string | undefined> {
  const [program = '', ...rest] = command;
  return new Promise((resolve) => {
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], timeout: limitSeconds * 1000 });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    child.on('error', () => resolve(undefined));
    child.on('close', (code) => resolve(code === 0 ? text : undefined));
  });
}

/** Tries again, because registries have bad moments. The last error is thrown. */
export async function withRetries<T>(attempts: number, pauseSeconds: number, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseSeconds * 1000));
    }
  }
}
