import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { createDevstore, type Devstore, type DevstoreOptions } from '../../src/devstore/devstore.ts';

export const BUCKET = 'box';

/** A store over a fresh folder, with one bucket. */
export interface Started {
  readonly url: string;
  readonly directory: string;
  readonly devstore: Devstore;
  /** The official SDK pointed at it, made when it is first asked for: that costs more than the store does. */
  readonly client: S3Client;
  makeBucket(name: string): Promise<void>;
  /** The next store over the same folder; this one is over. */
  restart(): Promise<Started>;
  dataFiles(): Promise<string[]>;
  stop(): Promise<void>;
}

export async function startDevstore(options: Partial<DevstoreOptions> = {}): Promise<Started> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'sealgate-devstore-')));
  const devstore = createDevstore({
    authorize: () => ({ accessKeyId: 'anybody' }), // signatures are the business of whoever composes
    durable: false,
    ...options,
    directory,
  });
  const { url } = await devstore.listen({ host: '127.0.0.1', port: 0 });
  let client: S3Client | undefined;
  const makeBucket = async (name: string) => {
    const { status, body } = await raw(url, 'PUT', `/${name}`);
    if (status !== 200) throw new Error(`no bucket ${name}: ${status} ${body}`);
  };
  if (options.directory === undefined) await makeBucket(BUCKET);
  const end = async () => {
    client?.destroy();
    await devstore.close();
  };
  return {
    url,
    directory,
    devstore,
    get client() {
      client ??= sdkClient(url);
      return client;
    },
    makeBucket,
    async restart() {
      await end();
      return await startDevstore({ ...options, directory });
    },
    dataFiles: () => readdir(join(directory, 'data')),
    async stop() {
      await end();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function sdkClient(url: string, config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: url,
    region: 'us-east-1',
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    maxAttempts: 1,
    credentials: { accessKeyId: 'anybody', secretAccessKey: 'anything' },
    ...config,
  });
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A request exactly as written: no normalised path, no added header. */
export function raw(
  url: string,
  method: string,
  path: string,
  options: { readonly headers?: Record<string, string | string[]>; readonly body?: Buffer } = {},
): Promise<RawAnswer> {
  const { headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const asked = request(new URL(url), { method, path, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) });
      });
      answer.on('error', reject);
    });
    asked.on('error', reject);
    if (body !== undefined) asked.setHeader('content-length', body.length);
    asked.end(body);
  });
}

/** Status (or node's code of a broken connection) and S3 error code that the SDK met, or 'none'. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    const { name, code, $metadata } = error as { name: string; code?: string; $metadata?: { httpStatusCode?: number } };
    return `${$metadata?.httpStatusCode ?? code ?? '-'} ${name}`;
  }
}

/** After so many bytes it begins anew. */
const PATTERN_BYTES = 65_536;

export function pattern(bytes: number, seed = 1): Buffer {
  const once = Buffer.alloc(Math.min(bytes, PATTERN_BYTES));
  for (let at = 0; at < once.length; at++) once[at] = (at * 31 + (at >>> 8) * 7 + seed) & 0xff;
  return bytes > PATTERN_BYTES ? Buffer.alloc(bytes, once) : once;
}
