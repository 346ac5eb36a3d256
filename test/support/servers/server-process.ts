import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { INHERITED } from '../inherited.ts';

/** A server that a test runs. */
export interface ServerProcess {
  /** kill -9, and wait until it is gone: transfers in flight break, what was acknowledged stays. */
  kill(): Promise<void>;
  signal(name: NodeJS.Signals): void;
}

export interface ServerCommand {
  /** For messages. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isReady: () => Promise<boolean>;
}

const READY_WITHIN_SECONDS = 30;

/**
 * The server under a shell that kills it (-9) when our end of its input closes: by `kill`, or because this process died,
 * however it died. So an interrupted test run leaves no server behind.
 */
const SHELL =
  'exec 3<&0; "$0" "$@" </dev/null 3<&- & server=$!; (cat <&3; kill -9 $server) 2>/dev/null >&2 & wait $server';

/** Resolves when it is ready. */
export async function startServer({ name, program, args, env, isReady }: ServerCommand): Promise<ServerProcess> {
  const child = spawn('/bin/sh', ['-c', SHELL, program, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...INHERITED, GOMAXPROCS: '2', ...env },
  });
  let said = '';
  const hear = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const deadline = Date.now() + READY_WITHIN_SECONDS * 1_000;
  while (!(await isReady())) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.stdin.end();
      throw new Error(`${name} did not become ready: ${said}`);
    }
    await sleep(10);
  }
  return { kill: () => end(child), signal: (signalName) => signal(child, signalName) };
}

/** To the server itself, which is the shell's first child; the other is its watch. */
function signal(shell: ChildProcess, name: NodeJS.Signals): void {
  const children = readFileSync(`/proc/${shell.pid}/task/${shell.pid}/children`, 'utf8').trim().split(' ');
  process.kill(Number(children[0]), name);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await ended;
}

/**
 * Whether something answers there with success.
 * @param ca the path of the certificate that vouches for it; without, what node trusts
 */
export async function answers(url: string, ca?: string): Promise<boolean> {
  if (ca !== undefined) {
    const certificate = readFileSync(ca);
    return new Promise((resolve) => {
      const request = get(url, { ca: certificate }, (response) => resolve(response.resume().statusCode === 200));
      request.on('error', () => resolve(false));
    });
  }
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
