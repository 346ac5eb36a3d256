import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Connection } from '../../src/cli/quickstart/quickstart-folder.ts';
import { INHERITED } from '../support/inherited.ts';
import { LAUNCH } from '../support/servers/launch.ts';

const READY_SECONDS = 30;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Beside PATH; nothing else of the test's own environment gets through. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs one command line as a process, without a terminal. */
export async function sealgate(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = launch(args, options);
  const output = collectOutput(child);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

/** What a command printed for scripts; an exit code other than 0 is an error. */
export async function sealgateJson<T>(args: readonly string[], options: RunOptions = {}): Promise<T> {
  const { code, stdout, stderr } = await sealgate([...args, '--json'], options);
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

export interface RunningQuickstart {
  readonly connection: Connection;
  readonly pid: number;
  /** What it printed so far. */
  stdout(): string;
  /** Ctrl-C (or another signal), and waits for the end. @returns the exit code */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a quickstart on free ports and waits for its connection.json. */
export async function startQuickstart(folder: string, args: readonly string[] = []): Promise<RunningQuickstart> {
  const child = launch(['quickstart', '--port', '0', '--data', folder, ...args], {});
  const output = collectOutput(child);
  const file = join(folder, 'connection.json');
  const deadline = Date.now() + READY_SECONDS * 1000;
  // One that was killed leaves its connection.json: the file alone does not say that this one is ready.
  while (!(existsSync(file) && output.stdout.includes('Ctrl-C stops.'))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`quickstart did not start: ${output.stdout}${output.stderr}`);
    }
    await delay(10);
  }
  return {
    connection: JSON.parse(readFileSync(file, 'utf8')) as Connection,
    pid: child.pid as number,
    stdout: () => output.stdout,
    async stop(signal = 'SIGINT') {
      if (child.exitCode !== null) return child.exitCode;
      child.kill(signal);
      const [code] = (await once(child, 'close')) as [number | null];
      return code;
    },
  };
}

function launch(args: readonly string[], { cwd, env }: RunOptions): ChildProcess {
  return spawn(process.execPath, [LAUNCH, ...args], {
    cwd: cwd ?? import.meta.dirname,
    env: { ...INHERITED, NODE_OPTIONS: process.env.NODE_OPTIONS ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function collectOutput(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  return output;
}
