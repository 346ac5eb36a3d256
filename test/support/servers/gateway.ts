import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import { freePort } from '../free-port.ts';
import { LAUNCH } from './launch.ts';

/** Planted in every end-to-end gateway: none of it may ever stand in a log (test/e2e/attacks/planted-secrets.test.ts). */
export const TENANT = {
  name: 'acme',
  accessKeyId: 'AKIDSEALGATETEST0001',
  secretAccessKey: 'plantedSecretAccessKeyOfTenantAcme000001',
} as const;

const READY_WITHIN_SECONDS = 30;

export interface GatewaySettings {
  /** As in sealgate.yaml; listen, admin and keys.root are filled in. Default: embedded store and file key store. */
  readonly backend?: Record<string, unknown>;
  readonly keyStore?: Record<string, unknown>;
  readonly more?: Record<string, unknown>;
  /** The tenant's, as `--bucket` takes them. Default: acme-*. */
  readonly buckets?: readonly string[];
  /** The key store has the tenant already: this gateway is one more over the same stores. */
  readonly tenantExists?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** The program to start, `src/launch.js` of another release's tree. Default: this tree's. */
  readonly launch?: string;
  /** What /readyz says once it is up. Default 200. */
  readonly readyWith?: number;
}

/** The gateway as its users run it: a process, with a configuration file, a tenant `acme` and its key. */
export interface GatewayProcess {
  readonly endpoint: string;
  readonly admin: string;
  readonly port: number;
  /** Holds sealgate.yaml, root.key and, for the embedded store, `objects`. */
  readonly folder: string;
  readonly configFile: string;
  readonly pid: () => number;
  /** Everything it printed, restarts included. */
  readonly output: () => string;
  /** Runs another command line, such as ['tenant', 'list'], on the same configuration. */
  readonly command: (args: readonly string[]) => Promise<CommandResult>;
  /** SIGTERM, and how it ended. */
  readonly terminate: () => Promise<number | null>;
  readonly kill: () => Promise<void>;
  /** Starts again on the same port over the same stores. */
  readonly start: () => Promise<void>;
  /** Ends it and removes the folder. */
  readonly stop: () => Promise<void>;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function startGateway(settings: GatewaySettings = {}): Promise<GatewayProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'sealgate-e2e-'));
  const port = await freePort();
  const adminPort = await freePort();
  const configFile = join(folder, 'sealgate.yaml');
  await writeFile(join(folder, 'root.key'), `${Buffer.alloc(32, 'root key of the tests').toString('base64')}\n`, {
    mode: 0o600,
  });
  await writeFile(join(folder, 'tenant.secret'), TENANT.secretAccessKey, { mode: 0o600 });
  const config = {
    listen: `127.0.0.1:${port}`,
    admin: `127.0.0.1:${adminPort}`,
    workers: 1,
    backend: settings.backend ?? { directory: 'objects' },
    keys: { root: { file: 'root.key' }, store: settings.keyStore ?? { file: 'keys.json' } },
    ...settings.more,
    uploads: { stagingBucket: 'sealgate-staging', ...(settings.more?.uploads as object | undefined) },
  };
  await writeFile(configFile, stringify(config));
  const env = settings.env ?? {};
  const launch = settings.launch ?? LAUNCH;
  const command = (args: readonly string[]) =>
    runProgram(process.execPath, [launch, ...args, '--config', configFile], { env });
  const added =
    settings.tenantExists === true
      ? { code: 0, stdout: '', stderr: '' }
      : await command([
          'tenant',
          'add',
          TENANT.name,
          ...(settings.buckets ?? ['acme-*']).flatMap((bucket) => ['--bucket', bucket]),
          '--access-key',
          TENANT.accessKeyId,
          '--secret-file',
          join(folder, 'tenant.secret'),
          '--json',
        ]);
  if (added.code !== 0) throw new Error(`tenant add failed:\n${added.stdout}${added.stderr}`);
  const running = new Running([launch, 'serve', '--config', configFile], env);
  const admin = `http://127.0.0.1:${adminPort}`;
  const start = async () => {
    running.launch();
    await ready(admin, running, settings.readyWith ?? 200);
  };
  await start().catch(async (error: unknown) => {
    await running.end('SIGKILL'); // it would outlive this process
    throw error;
  });
  return {
    endpoint: `http://127.0.0.1:${port}`,
    admin,
    port,
    folder,
    configFile,
    pid: () => running.pid,
    output: () => running.output,
    command,
    terminate: () => running.end('SIGTERM'),
    kill: async () => void (await running.end('SIGKILL')),
    start,
    stop: async () => {
      await running.end('SIGKILL');
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

class Running {
  output = '';
  #child: ChildProcess | undefined;
  readonly #args: readonly string[];
  readonly #env: Readonly<Record<string, string>>;

  constructor(args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#args = args;
    this.#env = env;
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  get exited(): boolean {
    return this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  launch(): void {
    const child = spawn(process.execPath, [...this.#args], { env: { ...process.env, ...this.#env } });
    const keep = (chunk: Buffer) => {
      this.output += chunk.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#child = child;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || this.exited) return child?.exitCode ?? null;
    const ended = once(child, 'close');
    child.kill(signal);
    await ended;
    return child.exitCode;
  }
}

async function ready(admin: string, running: Running, status: number): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_SECONDS * 1000;
  for (;;) {
    if (running.exited) throw new Error(`The gateway ended before it was ready:\n${running.output}`);
    const answer = await fetch(`${admin}/readyz`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.status === status) return;
    if (Date.now() > deadline) throw new Error(`The gateway was not ready in time:\n${running.output}`);
    await delay(10);
  }
}

/** A command of the command line, to its end. */
export async function runSealgate(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  return runProgram(process.execPath, [LAUNCH, ...args], { env });
}

/** Any program to its end, its output kept. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string; readonly input?: string } = {},
): Promise<CommandResult> {
  const child = spawn(program, args, {
    env: { ...process.env, ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => undefined); // a program may end without reading
  child.stdin.end(options.input ?? '');
  await once(child, 'close');
  return { code: child.exitCode, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

/** The peak resident set of a process in MiB, from Linux. */
export function peakMemoryMib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}
