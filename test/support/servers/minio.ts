import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { answers, type ServerProcess, startServer } from './server-process.ts';
import type { Store } from './store.ts';

/** A real MinIO. */
export interface Minio extends Store {
  /** Where it keeps its objects: `<directory>/<bucket>/<key>/…`. */
  readonly directory: string;
  /** kill -9: transfers in flight break, what was acknowledged stays. */
  kill(): Promise<void>;
  /** SIGSTOP: alive, connected and silent. */
  freeze(): void;
  thaw(): void;
  /** Starts again on the same port over the same folder; resolves when it answers. */
  restart(): Promise<void>;
}

export interface MinioOptions {
  /** More environment, such as MINIO_KMS_SECRET_KEY. */
  readonly env?: Readonly<Record<string, string>>;
}

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
  let server = await launch(directory, port, options);
  return {
    name: 'MinIO',
    endpoint,
    port,
    ...CREDENTIALS,
    region: 'us-east-1',
    settings: {},
    directory,
    kill: () => server.kill(),
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    restart: async () => {
      await server.kill();
      server = await launch(directory, port, options);
    },
    stop: async () => {
      await server.kill(); // its folder goes away anyway, and SIGTERM takes seconds
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function launch(directory: string, port: number, options: MinioOptions): Promise<ServerProcess> {
  return startServer({
    name: 'MinIO',
    program: minioBinary(),
    args: ['server', directory, '--address', `127.0.0.1:${port}`, '--quiet'],
    env: {
      HOME: directory,
      MINIO_ROOT_USER: CREDENTIALS.accessKeyId,
      MINIO_ROOT_PASSWORD: CREDENTIALS.secretAccessKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      ...options.env,
    },
    isReady: () => answers(`http://127.0.0.1:${port}/minio/health/cluster`),
  });
}
