import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { sha256 } from './payload.ts';
import type { GatewayProcess } from './servers/gateway.ts';
import { clientSettings } from './servers/stand.ts';
import type { Store } from './servers/store.ts';

/** A client that tells the first answer instead of trying again, and asks for checksums only where a test does. */
export function onceClient(gateway: GatewayProcess, as: { accessKeyId?: string; secretAccessKey?: string } = {}) {
  const settings = clientSettings(gateway);
  return new S3Client({
    ...settings,
    credentials: { ...settings.credentials, ...as },
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** Straight into the store, past the gateway: the attacker of FORMAT.md §1. */
export function backendClient({ endpoint, region, accessKeyId, secretAccessKey, ca }: Store): S3Client {
  return new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    ...(ca !== undefined && { requestHandler: { httpsAgent: new Agent({ ca: readFileSync(ca) }) } }),
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** Status and code of what must fail. An answer without a body, as HEAD's, has no code. */
export async function refusal(promise: Promise<unknown>): Promise<readonly [number | undefined, string]> {
  return promise.then(
    () => [undefined, 'nothing failed'] as const,
    (thrown: { name: string; $metadata?: { httpStatusCode?: number } }) =>
      [thrown.$metadata?.httpStatusCode, thrown.name] as const,
  );
}

/** A whole answer, or its rejection: also when the connection breaks within the body. */
export async function read(client: S3Client, asked: GetObjectCommandInput): Promise<Buffer> {
  const answer = await client.send(new GetObjectCommand(asked));
  return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
}

export async function listedKeys(client: S3Client, Bucket: string, Prefix = ''): Promise<string[]> {
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
  return Contents.map(({ Key }) => Key as string);
}

/** Nothing of it shows, whichever way one looks. */
export async function expectAbsent(client: S3Client, Bucket: string, Key: string): Promise<void> {
  expect(await refusal(client.send(new GetObjectCommand({ Bucket, Key })))).toEqual([404, 'NoSuchKey']);
  expect((await refusal(client.send(new HeadObjectCommand({ Bucket, Key }))))[0]).toBe(404);
  expect(await listedKeys(client, Bucket, Key)).not.toContain(Key);
}

/** Exactly these bytes show, whichever way one looks. */
export async function expectServed(client: S3Client, Bucket: string, Key: string, bytes: Buffer): Promise<void> {
  expect(sha256(await read(client, { Bucket, Key }))).toBe(sha256(bytes));
  expect((await client.send(new HeadObjectCommand({ Bucket, Key }))).ContentLength).toBe(bytes.length);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket, Prefix: Key }));
  expect(Contents.find((entry) => entry.Key === Key)?.Size).toBe(bytes.length);
}
