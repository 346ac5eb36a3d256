import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { plaintextBytesOf, sealedBytes } from '../../../src/envelope/sizes.ts';
import { payload } from '../../support/payload.ts';
import { type BackendProxy, startBackendProxy } from '../../support/proxies/backend-proxy.ts';
import { type GatewayProcess, startGateway } from '../../support/servers/gateway.ts';
import { type Minio, startMinio } from '../../support/servers/minio.ts';
import { type RedisServer, startRedis } from '../../support/servers/redis.ts';
import { clientSettings } from '../../support/servers/stand.ts';
import { backendClient, refusal } from '../../support/sight.ts';

/**
 * A bucket that had a thousand objects before it was sealed, and has a thousand sealed ones since. Whether an object is
 * sealed stands in its metadata, which a listing does not show: those whose size a sealed object may have are asked for.
 */

const OLD = 'legacy-data';
const VERSIONS = 'legacy-versions';
const EACH = 1_000;
/** As src/pipeline/bucket/listed-sizes.ts has it. */
const AT_ONCE = 16;

let minio: Minio;
let redis: RedisServer;
let proxy: BackendProxy;
let gateway: GatewayProcess;
let through: S3Client;
let direct: S3Client;

/** What a client must see of each key: of plain ones the size that lies there, of sealed ones what was sent. */
const expected = new Map<string, number>();
/** How many of them have a size that a sealed object may have. */
let unknown = 0;

beforeAll(async () => {
  [minio, redis] = await Promise.all([startMinio(), startRedis()]);
  proxy = await startBackendProxy(minio);
  gateway = await startGateway({
    backend: {
      endpoint: proxy.endpoint,
      credentials: { accessKeyId: minio.accessKeyId, secretAccessKey: minio.secretAccessKey },
    },
    keyStore: { redis: redis.url },
  });
  const accessKeyId = 'AKIDSEALGATELEGACY01';
  const secretAccessKey = 'plantedSecretAccessKeyOfTenantLegacy0001';
  const secretFile = join(gateway.folder, 'legacy.secret');
  await writeFile(secretFile, secretAccessKey, { mode: 0o600 });
  const tenant = ['tenant', 'add', 'legacy', '--bucket', 'legacy-*:mixed', '--access-key', accessKeyId];
  expect((await gateway.command([...tenant, '--secret-file', secretFile])).stderr).toBe('');
  through = new S3Client({ ...clientSettings(gateway), credentials: { accessKeyId, secretAccessKey } });
  direct = backendClient(minio);
  await direct.send(new CreateBucketCommand({ Bucket: OLD }));
  await fill();
}, 180_000);

afterAll(async () => {
  for (const client of [through, direct]) client?.destroy();
  await gateway?.stop();
  await proxy?.close();
  await Promise.all([minio?.stop(), redis?.stop()]);
});

/** Half of the plain ones have, by accident, the size of a sealed object; a few lie in the gap between two such sizes. */
function plainBytes(at: number): number {
  if (at % 2 === 0) return sealedBytes(at * 10, 0);
  if (at % 100 === 1) return sealedBytes(65_536, 0) + 1 + (at % 15);
  return at % 528;
}

async function fill(): Promise<void> {
  const work: (() => Promise<unknown>)[] = [];
  const put = (client: S3Client, Key: string, bytes: number) => {
    work.push(() => client.send(new PutObjectCommand({ Bucket: OLD, Key, Body: payload(bytes, bytes + 1) })));
    expected.set(Key, bytes);
  };
  for (let at = 0; at < EACH; at++) {
    const key = `data/${String(at).padStart(4, '0')}`;
    put(direct, `${key}-plain`, plainBytes(at));
    if (plaintextBytesOf(plainBytes(at), 0) !== undefined) unknown++;
    // Every third has as many plaintext bytes as another's sealed form.
    put(through, `${key}-sealed`, at % 3 === 0 ? sealedBytes(at, 0) : at);
    unknown++;
  }
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < work.length; at = next++) await work[at]?.();
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

async function sizes(): Promise<[string, number | undefined][]> {
  const all: [string, number | undefined][] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await through.send(new ListObjectsV2Command({ Bucket: OLD, ContinuationToken }));
    for (const { Key = '', Size } of page.Contents ?? []) all.push([Key, Size]);
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  return all;
}

const heads = () => proxy.seen.filter((line) => line.startsWith('HEAD')).length;
const inOrder = () => [...expected].sort(([one], [other]) => (one < other ? -1 : 1));

describe('a listing of 1,000 plain and 1,000 sealed objects', () => {
  it('tells each size, asks once for each whose size does not tell, and for few at once', async () => {
    expect(unknown).toBe(EACH + EACH / 2);
    proxy.pass();
    expect(await sizes()).toEqual(inOrder());
    expect(heads()).toBe(unknown);
    expect(proxy.mostAtOnce('HEAD')).toBeGreaterThan(1);
    expect(proxy.mostAtOnce('HEAD')).toBeLessThanOrEqual(AT_ONCE);
  });

  it('asks for nothing when it knows', async () => {
    proxy.pass();
    expect(await sizes()).toEqual(inOrder());
    const { Contents = [] } = await through.send(new ListObjectsCommand({ Bucket: OLD, Prefix: 'data/01' }));
    expect(Contents.map(({ Key, Size }) => [Key, Size])).toEqual(
      inOrder().filter(([key]) => key.startsWith('data/01')),
    );
    expect(proxy.seen).toHaveLength(3);
  });

  it('asks again for what was replaced, and for that only: plain by sealed and sealed by plain', async () => {
    const bytes = sealedBytes(77, 0);
    const [one, two] = ['data/0000-plain', 'data/0000-sealed'];
    await through.send(new PutObjectCommand({ Bucket: OLD, Key: one, Body: payload(77, 3) }));
    await direct.send(new PutObjectCommand({ Bucket: OLD, Key: two, Body: payload(bytes, 4) }));
    expected.set(one, 77).set(two, bytes);
    proxy.pass();
    expect(await sizes()).toEqual(inOrder());
    expect(heads()).toBe(2);
    for (const Key of [one, two]) {
      const head = await through.send(new HeadObjectCommand({ Bucket: OLD, Key }));
      expect(head.ContentLength).toBe(expected.get(Key));
    }
  });

  it('holds nothing afterwards, also when its client left', async () => {
    const left = new AbortController();
    const listing = through.send(new ListObjectsV2Command({ Bucket: OLD }), { abortSignal: left.signal });
    left.abort();
    await expect(listing).rejects.toThrow('aborted');
    const held = async () =>
      /^sealgate_in_flight_bytes (\d+)/m.exec(await (await fetch(`${gateway.admin}/metrics`)).text())?.[1];
    await expect.poll(held).toBe('0');
  });
});

it('versions of one key, plain and sealed in turn, each in its own size', async () => {
  const Bucket = VERSIONS;
  await direct.send(new CreateBucketCommand({ Bucket }));
  await direct.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  const sent: number[] = [];
  for (let at = 0; at < 10; at++) {
    const [client, bytes] = at % 2 === 0 ? [direct, sealedBytes(at, 0)] : [through, at];
    await client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: payload(bytes, at + 1) }));
    sent.unshift(bytes);
  }
  for (const asked of [10, 0]) {
    proxy.pass();
    const { Versions = [] } = await through.send(new ListObjectVersionsCommand({ Bucket }));
    expect(Versions.map(({ Size }) => Size)).toEqual(sent);
    expect(heads()).toBe(asked);
  }
});

it('a listing says nothing when the store cannot say: a wrong size would look like a changed object', async () => {
  await through.send(new PutObjectCommand({ Bucket: OLD, Key: 'late/one', Body: payload(5, 5) }));
  proxy.stopAt(2, 'before', () => minio.kill());
  expect(await refusal(through.send(new ListObjectsV2Command({ Bucket: OLD, Prefix: 'late/' })))).toEqual([
    503,
    'ServiceUnavailable',
  ]);
  await minio.restart();
  proxy.pass();
  const { Contents = [] } = await through.send(new ListObjectsV2Command({ Bucket: OLD, Prefix: 'late/' }));
  expect(Contents.map(({ Size }) => Size)).toEqual([5]);
});
