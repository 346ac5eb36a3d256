import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A real MinIO as a process of this test, on a free port, over a folder of its own. */
export interface Minio {
  readonly endpoint: string;
  readonly port: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** Where it keeps its objects: `<directory>/<bucket>/<key>/…`. */
  readonly directory: string;
  /** kill -9: transfers in flight break, what was acknowledged stays. */
  kill(): Promise<void>;
  /** SIGSTOP: alive, connected and silent. */
  freeze(): void;
  thaw(): void;
  /** Starts again on the same port over the same folder; resolves when it answers. */
  restart(): Promise<void>;
  /** Ends it and removes the folder. */
  stop(): Promise<void>;
}

export interface MinioOptions {
  /** More environment, such as MINIO_KMS_SECRET_KEY. */
  readonly env?: Readonly<Record<string, string>>;
}

const READY_WITHIN_SECONDS = 30;
const CREDENTIALS = { accessKeyId: 'testbackend', secretAccessKey: 'testbackendsecret' } as const;

/** The binary that tests run: SEALGATE_TEST_MINIO, or the cache folder that the test command fills. */
export function minioBinary(): string {
  const path = process.env.SEALGATE_TEST_MINIO ?? join(homedir(), '.cache', 'sealgate-test', 'bin', 'minio');
  if (!existsSync(path)) {
    throw new Error(
      'MinIO is not installed. Run: GOBIN=~/.cache/sealgate-test/bin go install ' +
        'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c, or point SEALGATE_TEST_MINIO at a binary.',
    );
  }
  return path;
}

/** A port nobody listens on right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export async function startMinio(options: MinioOptions = {}): Promise<Minio> {
  const directory = await mkdtemp(join(tmpdir(), 'sealgate-minio-'));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  let child = await launch(directory, port, options);
  return {
    endpoint,
    port,
    ...CREDENTIALS,
    region: 'us-east-1',
    directory,
    kill: () => end(child),
    freeze: () => signal(child, 'SIGSTOP'),
    thaw: () => signal(child, 'SIGCONT'),
    restart: async () => {
      await end(child);
      child = await launch(directory, port, options);
    },
    stop: async () => {
      await end(child); // its folder goes away anyway, and SIGTERM takes seconds
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/**
 * MinIO under a shell that kills it (-9) when our end of its input closes: by `end`, or because this process died,
 * however it died. So an interrupted test run leaves no server behind.
 */
const SHELL =
  'exec 3<&0; "$0" "$@" </dev/null 3<&- & server=$!; (cat <&3; kill -9 $server) 2>/dev/null >&2 & wait $server';

async function launch(directory: string, port: number, options: MinioOptions): Promise<ChildProcess> {
  const child = spawn(
    '/bin/sh',
    ['-c', SHELL, minioBinary(), 'server', directory, '--address', `127.0.0.1:${port}`, '--quiet'],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH,
        HOME: directory,
        MINIO_ROOT_USER: CREDENTIALS.accessKeyId,
        MINIO_ROOT_PASSWORD: CREDENTIALS.secretAccessKey,
        MINIO_BROWSER: 'off',
        MINIO_UPDATE: 'off',
        GOMAXPROCS: '2',
        ...options.env,
      },
    },
  );
  let said = '';
  const hear = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2_000);
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const deadline = Date.now() + READY_WITHIN_SECONDS * 1_000;
  while (!(await isReady(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.stdin.end();
      throw new Error(`MinIO did not become ready: ${said}`);
    }
    await sleep(50);
  }
  return child;
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/minio/health/cluster`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** To the server itself, which is the shell's first child; the other is its watch. */
function signal(shell: ChildProcess, name: NodeJS.Signals): void {
  const children = readFileSync(`/proc/${shell.pid}/task/${shell.pid}/children`, 'utf8').trim().split(' ');
  process.kill(Number(children[0]), name);
}

/** kill -9, and wait until it is gone. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await ended;
}
