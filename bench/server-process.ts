import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const READY_LIMIT_SECONDS = 30;
const STOP_LIMIT_SECONDS = 10;

/** A server that a benchmark started, and that it stops by its process id. */
export interface ServerProcess {
  readonly pid: number;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly command: readonly string[];
  readonly env?: Record<string, string>;
  readonly logFile: string;
  /** Asked until it resolves to true. */
  readonly isReady: () => Promise<boolean>;
}

/** Starts it and waits until it answers. Throws with the end of its log when it does not. */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const [program = '', ...args] = options.command;
  const log = openSync(options.logFile, 'a');
  const child = spawn(program, args, { env: { ...process.env, ...options.env }, stdio: ['ignore', log, log] });
  closeSync(log);
  const failed = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(`it ended with ${code ?? signal}`));
  });
  const trouble = await Promise.race([waitUntilReady(options.isReady), failed]);
  if (trouble === undefined && child.pid !== undefined) return { pid: child.pid, stop: () => stop(child) };
  await stop(child);
  const end = readFileSync(options.logFile, 'utf8').split('\n').slice(-15).join('\n');
  throw new Error(`${options.command.join(' ')}: ${trouble}\n${end}`);
}

async function waitUntilReady(isReady: () => Promise<boolean>): Promise<string | undefined> {
  const deadline = Date.now() + READY_LIMIT_SECONDS * 1000;
  while (Date.now() < deadline) {
    if (await isReady().catch(() => false)) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return `not ready within ${READY_LIMIT_SECONDS} s`;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_SECONDS * 1000);
  await ended;
  clearTimeout(killer);
}

/** Readiness of an HTTP server: any answer, or a 2xx. */
export function answers(url: string, wanted: 'anything' | 'success'): () => Promise<boolean> {
  return async () => {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return wanted === 'anything' || response.ok;
  };
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (typeof address === 'object' && address) return address.port;
  throw new Error('no free port');
}
