import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DeleteBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import type { ServerCertificate } from '../certificate.ts';
import { freePort } from '../free-port.ts';
import { tool } from '../tools.ts';
import { borrow } from './borrow.ts';
import type { PooledServer } from './pool.ts';
import { answers, type ServerProcess, startServer } from './server-process.ts';
import { capabilitiesOf, type Store } from './store.ts';

/** A MinIO that this file has for itself until it stops it, and that other files have before and after it. */
export interface SharedMinio extends Store {
  /** Where it keeps its objects: `<directory>/<bucket>/<key>/…`. */
  readonly directory: string;
}

/** A MinIO of this test's own. */
export interface Minio extends SharedMinio {
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
  /** Has it speak TLS with this certificate, which its clients must know as its CA. */
  readonly certificate?: ServerCertificate;
}

const CREDENTIALS = { accessKeyId: 'testbackend', secretAccessKey: 'testbackendsecret' } as const;

/** For tests that kill, fill, freeze, reconfigure or measure it, or that look at its whole disk. */
export async function startMinio(options: MinioOptions = {}): Promise<Minio> {
  const directory = await mkdtemp(join(tmpdir(), 'sealgate-minio-'));
  const port = await freePort();
  const { certificate } = options;
  const endpoint = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  let server = await launch(directory, port, options);
  return {
    name: 'MinIO',
    endpoint,
    port,
    ...CREDENTIALS,
    region: 'us-east-1',
    capabilities: capabilitiesOf('minio'),
    directory,
    ...(certificate !== undefined && { ca: certificate.cert }),
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

async function launch(directory: string, port: number, options: MinioOptions): Promise<ServerProcess> {
  const { certificate } = options;
  const tls: string[] = [];
  if (certificate !== undefined) {
    const folder = dirname(certificate.cert);
    await copyFile(certificate.cert, join(folder, 'public.crt'));
    await copyFile(certificate.key, join(folder, 'private.key'));
    tls.push('--certs-dir', folder);
  }
  const health = `http${certificate === undefined ? '' : 's'}://127.0.0.1:${port}/minio/health/cluster`;
  return startServer({
    name: 'MinIO',
    program: tool('minio'),
    args: ['server', directory, '--address', `127.0.0.1:${port}`, '--quiet', ...tls],
    env: {
      HOME: directory,
      MINIO_ROOT_USER: CREDENTIALS.accessKeyId,
      MINIO_ROOT_PASSWORD: CREDENTIALS.secretAccessKey,
      MINIO_BROWSER: 'off',
      MINIO_UPDATE: 'off',
      ...options.env,
    },
    isReady: () => answers(health, certificate?.cert),
  });
}

/** The run's MinIO, empty. */
export async function sharedMinio(): Promise<SharedMinio> {
  const { offer, giveBack } = await borrow<Omit<SharedMinio, 'stop'>>('minio');
  return { ...offer, stop: giveBack };
}

export async function pooledMinio(): Promise<PooledServer> {
  const { kill, freeze, thaw, restart, stop, ...offer } = await startMinio();
  return { offer, wipe: () => removeBuckets(offer), stop };
}

/** MinIO removes a bucket with all that is in it when it is asked to by a header of its own. */
async function removeBuckets({ endpoint, region, accessKeyId, secretAccessKey }: Omit<Store, 'stop'>): Promise<void> {
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { headers: Record<string, string> }).headers, { 'x-minio-force-delete': 'true' });
      return next(args);
    },
    { step: 'build' },
  );
  const { Buckets = [] } = await client.send(new ListBucketsCommand());
  for (const { Name } of Buckets) await client.send(new DeleteBucketCommand({ Bucket: Name }));
  client.destroy();
}
