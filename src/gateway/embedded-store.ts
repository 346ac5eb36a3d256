import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createDevstore, type Devstore } from '../devstore/devstore.ts';
import { s3Front } from '../dialects/s3/front/front.ts';
import { clientError } from '../errors.ts';
import { Secret } from '../secret.ts';
import { equalInConstantTime } from '../wire/constant-time.ts';
import type { WireRequest } from '../wire/message.ts';

/** How to reach an embedded store that runs. */
export interface EmbeddedStoreAddress {
  readonly endpoint: URL;
  readonly accessKeyId: string;
  readonly secret: Secret;
}

export interface EmbeddedStore {
  readonly address: EmbeddedStoreAddress;
  close(): Promise<void>;
}

/**
 * The file with the store's address and key, beside the objects. Its mode is 0600, because whoever reads it may write
 * to the store.
 */
const ADDRESS_FILE = 'devstore-address.json';
const REGION = 'us-east-1';
const REACH_TIMEOUT_MS = 1000;

/**
 * Opens the embedded store of a folder: the one that some process runs already, whose address lies in the folder, or
 * else one that this process starts, on a free loopback port with an access key of its own. Only one process at a time
 * may have the folder, so that commands beside a running gateway, and its workers, use the same store.
 */
export async function openEmbeddedStore(
  directory: string,
  randomBytes: (bytes: number) => Buffer,
): Promise<EmbeddedStore> {
  const running = await readAddress(directory);
  if (running !== undefined && (await answers(running))) return { address: running, close: async () => undefined };
  return startEmbeddedStore(directory, randomBytes);
}

async function startEmbeddedStore(directory: string, randomBytes: (bytes: number) => Buffer): Promise<EmbeddedStore> {
  const accessKeyId = `EMBEDDED${randomBytes(6).toString('hex').toUpperCase()}`;
  const secret = new Secret(randomBytes(30).toString('base64url'));
  const devstore: Devstore = createDevstore({
    directory,
    authorize: (request) => authorize(request, { accessKeyId, secret }),
  });
  const { url } = await devstore.listen({ host: '127.0.0.1', port: 0 });
  const address = { endpoint: new URL(url), accessKeyId, secret };
  await writeAddress(directory, address);
  return {
    address,
    async close() {
      await rm(join(directory, ADDRESS_FILE), { force: true });
      await devstore.close();
    },
  };
}

/** Verifies the head of a request as the S3 front does; the store checks bodies itself. */
function authorize(
  request: WireRequest,
  expected: { readonly accessKeyId: string; readonly secret: Secret },
): { readonly accessKeyId: string } {
  const claim = s3Front.readings(request, { region: REGION, domains: [] })[0].claim();
  if (claim === undefined) throw clientError('AccessDenied', 'The embedded store takes only signed requests.');
  if (!equalInConstantTime(claim.accessKeyId, expected.accessKeyId)) {
    throw clientError('InvalidAccessKeyId', 'The embedded store knows only its gateway’s access key.');
  }
  if (claim.legacy !== undefined) throw claim.legacy.refusal();
  claim.verify(expected.secret, new Date());
  return { accessKeyId: claim.accessKeyId };
}

async function readAddress(directory: string): Promise<EmbeddedStoreAddress | undefined> {
  try {
    const found = JSON.parse(await readFile(join(directory, ADDRESS_FILE), 'utf8')) as Record<string, string>;
    const { endpoint = '', accessKeyId = '', secretAccessKey = '' } = found;
    return { endpoint: new URL(endpoint), accessKeyId, secret: new Secret(secretAccessKey) };
  } catch {
    return undefined; // no store runs, or one has died while it wrote
  }
}

async function writeAddress(directory: string, address: EmbeddedStoreAddress): Promise<void> {
  await mkdir(directory, { recursive: true });
  const text = JSON.stringify({
    endpoint: address.endpoint.origin,
    accessKeyId: address.accessKeyId,
    secretAccessKey: address.secret.reveal(),
  });
  const draft = join(directory, `${ADDRESS_FILE}.new`);
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, join(directory, ADDRESS_FILE));
}

/**
 * Whether the store answers. Another program may have taken the port of a stale file; the status 403 makes that
 * unlikely.
 */
async function answers(address: EmbeddedStoreAddress): Promise<boolean> {
  try {
    const response = await fetch(address.endpoint, { signal: AbortSignal.timeout(REACH_TIMEOUT_MS) });
    await response.arrayBuffer();
    return response.status === 403;
  } catch {
    return false;
  }
}
