import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from '../free-port.ts';
import { tool } from '../tools.ts';
import { borrow } from './borrow.ts';
import type { PooledServer } from './pool.ts';
import { answers, type ServerProcess, startServer } from './server-process.ts';
import { capabilitiesOf, type Store } from './store.ts';

const CREDENTIALS = { accessKeyId: 'testversity', secretAccessKey: 'testversitysecret' } as const;

/** A real Versity S3 Gateway over a folder of its own (its posix backend). */
export async function startVersityGateway(): Promise<Store> {
  const directory = await mkdtemp(join(tmpdir(), 'sealgate-versitygw-'));
  const port = await freePort();
  const server = await launch(directory, port);
  return {
    name: 'versitygw',
    endpoint: `http://127.0.0.1:${port}`,
    port,
    ...CREDENTIALS,
    region: 'us-east-1',
    capabilities: capabilitiesOf('versitygw'),
    directory: join(directory, 'objects'),
    stop: async () => {
      await server.kill();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function launch(directory: string, port: number): Promise<ServerProcess> {
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
  return startServer({
    name: 'versitygw',
    program: tool('versitygw'),
    args: ['--port', `127.0.0.1:${port}`, '--region', 'us-east-1', '--health', '/health', '--quiet', ...posix],
    env: {
      HOME: directory,
      ROOT_ACCESS_KEY: CREDENTIALS.accessKeyId,
      ROOT_SECRET_KEY: CREDENTIALS.secretAccessKey,
    },
    isReady: () => answers(`http://127.0.0.1:${port}/health`),
  });
}

/** The run's Versity S3 Gateway, empty. */
export async function sharedVersityGateway(): Promise<Store> {
  const { offer, giveBack } = await borrow<Omit<Store, 'stop'>>('versitygw');
  return { ...offer, stop: giveBack };
}

export async function pooledVersityGateway(): Promise<PooledServer> {
  const { stop, ...offer } = await startVersityGateway();
  const objects = offer.directory as string;
  return { offer, wipe: () => emptyFolders([objects, join(dirname(objects), 'versions')]), stop };
}

/** It keeps nothing in memory of what lies in its folders. */
async function emptyFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
