import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './minio.ts';
import { tool } from './tools.ts';

/** A real Versity S3 Gateway over a folder of its own (its posix backend): a store that shares no code with MinIO. */
export interface VersityGateway {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** Ends it and removes the folder. */
  stop(): Promise<void>;
}

const READY_WITHIN_SECONDS = 30;
const CREDENTIALS = { accessKeyId: 'testversity', secretAccessKey: 'testversitysecret' } as const;

export async function startVersityGateway(): Promise<VersityGateway> {
  const directory = await mkdtemp(join(tmpdir(), 'sealgate-versitygw-'));
  const port = await freePort();
  const child = await launch(directory, port);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    ...CREDENTIALS,
    region: 'us-east-1',
    stop: async () => {
      await end(child);
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Under a shell that kills it when our end of its input closes, as MinIO's in minio.ts. */
const SHELL =
  'exec 3<&0; "$0" "$@" </dev/null 3<&- & server=$!; (cat <&3; kill -9 $server) 2>/dev/null >&2 & wait $server';

async function launch(directory: string, port: number): Promise<ChildProcess> {
  const [objects, versions] = await Promise.all(
    ['objects', 'versions'].map(async (name) => {
      const folder = join(directory, name);
      await mkdir(folder);
      return folder;
    }),
  );
  // Metadata in extended attributes, as is its default: beside the objects (--sidecar), an object that replaces another
  // keeps the metadata of the one before.
  const posix = ['posix', '--versioning-dir', `${versions}`, `${objects}`];
  const server = ['--port', `127.0.0.1:${port}`, '--region', 'us-east-1', '--health', '/health', '--quiet'];
  const child = spawn('/bin/sh', ['-c', SHELL, tool('versitygw'), ...server, ...posix], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId,
      ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey,
      GOMAXPROCS: '2',
    },
  });
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
      throw new Error(`versitygw did not become ready: ${said}`);
    }
    await sleep(50);
  }
  return child;
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/health`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin?.end();
  await ended;
}
