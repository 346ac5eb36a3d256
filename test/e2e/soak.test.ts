import { setTimeout as delay } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { contentOf, ExpectedObjects, numbersOf } from '../support/expected-objects.ts';
import { type GatewayProcess, startGateway } from '../support/gateway.ts';
import { type Minio, startMinio } from '../support/minio.ts';
import { payload } from '../support/payload.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { onceClient, read } from '../support/sight.ts';

/**
 * Mixed load while the gateway, Redis and MinIO are killed (-9) in turn and together. Whatever was acknowledged reads
 * back with its hash, at once and at the end; whatever was not is there whole or not at all.
 */

const KIB = 1024;
const MIB = 1024 * KIB;
const Bucket = 'acme-soak';
const LANES = 6;
const KEYS_A_LANE = 12;
/** In CI; a night's worth by SEALGATE_TEST_SOAK_SECONDS. */
const SECONDS = Number(process.env.SEALGATE_TEST_SOAK_SECONDS ?? 40);
const SEED = Number(process.env.SEALGATE_TEST_SOAK_SEED ?? 1);
/** What an outage may look like to a client. No answer at all is a broken connection. */
const OUTAGE_STATUSES: ReadonlySet<number | undefined> = new Set([undefined, 503]);
const PATIENCE = { timeout: 30_000, interval: 100 };

let minio: Minio;
let redis: RedisServer;
let gateway: GatewayProcess;
let client: S3Client;

const expected = new ExpectedObjects();
const acknowledged: Record<string, number> = { put: 0, multipart: 0, copy: 0, remove: 0, read: 0, range: 0 };
const doubtful: Record<string, number> = {};
const wrong: string[] = [];

beforeAll(async () => {
  [minio, redis] = await Promise.all([startMinio(), startRedis({ persistent: true })]);
  gateway = await startGateway({
    backend: {
      endpoint: minio.endpoint,
      credentials: { accessKeyId: minio.accessKeyId, secretAccessKey: minio.secretAccessKey },
    },
    keyStore: { redis: redis.url, commandSeconds: 1 },
  });
  client = onceClient(gateway);
  await client.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  client?.destroy();
  await gateway?.stop();
  await Promise.all([minio?.stop(), redis?.stop()]);
});

interface Lane {
  readonly random: () => number;
  readonly keyOf: () => string;
  /** A body nobody sent before. */
  readonly body: (leastBytes: number, mostBytes: number) => Buffer;
}

function lane(number: number): Lane {
  const random = numbersOf(SEED * 1_000_000 + number * 100_000);
  let bodies = 0;
  return {
    random,
    keyOf: () => `lane-${number}/${Math.floor(random() * KEYS_A_LANE)}`,
    body: (least, most) =>
      payload(least + Math.floor(random() * (most - least + 1)), number * 1_000_003 + ++bodies * 7 + SEED),
  };
}

async function write(key: string, body: Buffer | undefined, send: () => Promise<unknown>): Promise<void> {
  const content = body && contentOf(body);
  expected.attempt(key, content);
  await send();
  expected.acknowledge(key, content);
}

async function multipart(key: string, bodies: readonly Buffer[]): Promise<void> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: key }));
  const at = { Bucket, Key: key, UploadId };
  const Parts: CompletedPart[] = await Promise.all(
    bodies.map(async (Body, index) => {
      const { ETag } = await client.send(new UploadPartCommand({ ...at, PartNumber: index + 1, Body }));
      return { PartNumber: index + 1, ETag };
    }),
  );
  await write(key, Buffer.concat(bodies), () =>
    client.send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts } })),
  );
}

/** An answer that is whole to the client must be right, whatever happens meanwhile. */
async function look(key: string): Promise<Buffer | undefined> {
  const found = await read(client, { Bucket, Key: key }).catch((error: { name: string }) => {
    if (error.name !== 'NoSuchKey') throw error;
    return undefined;
  });
  if (!expected.allows(key, found && contentOf(found))) {
    wrong.push(`${key} gave ${found?.length ?? 'no'} bytes instead of ${expected.describe(key)}`);
  }
  return found;
}

const ACTIONS: readonly (readonly [name: string, weight: number, act: (lane: Lane) => Promise<void>])[] = [
  [
    'put',
    40,
    async ({ random, keyOf, body }) => {
      const [key, Body] = [keyOf(), random() < 0.1 ? body(MIB, 6 * MIB) : body(0, 200 * KIB)];
      await write(key, Body, () => client.send(new PutObjectCommand({ Bucket, Key: key, Body })));
    },
  ],
  [
    'multipart',
    8,
    async ({ random, keyOf, body }) => {
      const bodies = [body(5 * MIB, 5 * MIB + 70_000), body(0, MIB)];
      if (random() < 0.3) bodies.unshift(body(5 * MIB, 6 * MIB));
      await multipart(keyOf(), bodies);
    },
  ],
  [
    'abort',
    2,
    async ({ keyOf, body }) => {
      const key = keyOf();
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: key }));
      const at = { Bucket, Key: key, UploadId };
      await client.send(new UploadPartCommand({ ...at, PartNumber: 1, Body: body(100, 100) }));
      await client.send(new AbortMultipartUploadCommand(at));
    },
  ],
  [
    'copy',
    8,
    async ({ keyOf }) => {
      const [from, to] = [keyOf(), keyOf()];
      const body = await look(from);
      if (body === undefined || from === to) return;
      await write(to, body, () =>
        client.send(new CopyObjectCommand({ Bucket, Key: to, CopySource: `${Bucket}/${from}` })),
      );
    },
  ],
  [
    'remove',
    10,
    async ({ keyOf }) => {
      const Key = keyOf();
      await write(Key, undefined, () => client.send(new DeleteObjectCommand({ Bucket, Key })));
    },
  ],
  ['read', 25, async ({ keyOf }) => void (await look(keyOf()))],
  [
    'range',
    7,
    async ({ random, keyOf }) => {
      const key = keyOf();
      const whole = await look(key);
      if (whole === undefined || whole.length === 0) return;
      const first = Math.floor(random() * whole.length);
      const part = await read(client, { Bucket, Key: key, Range: `bytes=${first}-` });
      if (!part.equals(whole.subarray(first))) wrong.push(`${key} gave another end from ${first}`);
    },
  ],
];

function choose(random: () => number) {
  let at = random() * ACTIONS.reduce((sum, [, weight]) => sum + weight, 0);
  for (const action of ACTIONS) {
    at -= action[1];
    if (at < 0) return action;
  }
  return ACTIONS[0] as (typeof ACTIONS)[number];
}

async function load(number: number, until: number): Promise<void> {
  const mine = lane(number);
  while (Date.now() < until) {
    const [name, , act] = choose(mine.random);
    try {
      await act(mine);
      acknowledged[name] = (acknowledged[name] ?? 0) + 1;
    } catch (thrown) {
      const error = thrown as { name: string; message: string; $metadata?: { httpStatusCode?: number } };
      const status = error.$metadata?.httpStatusCode;
      doubtful[name] = (doubtful[name] ?? 0) + 1;
      if (!OUTAGE_STATUSES.has(status)) wrong.push(`${name}: ${status} ${error.name}: ${error.message}`);
      await delay(20); // a server that is away refuses at once
    }
  }
}

const OUTAGES: readonly (() => Promise<void>)[] = [
  async () => {
    await gateway.kill();
    await gateway.start();
  },
  async () => {
    await minio.kill();
    await delay(200);
    await minio.restart();
  },
  async () => {
    await redis.kill();
    await delay(500);
    await redis.restart();
  },
  async () => {
    await Promise.all([gateway.kill(), minio.kill()]);
    await minio.restart();
    await gateway.start();
  },
  async () => {
    await Promise.all([gateway.kill(), redis.kill()]);
    await redis.restart();
    await gateway.start();
  },
];

async function trouble(until: number): Promise<number> {
  const random = numbersOf(SEED);
  let outages = 0;
  for (; Date.now() < until - 2_000; outages++) {
    await delay(500 + random() * 2_500);
    await (OUTAGES[outages % OUTAGES.length] as () => Promise<void>)();
  }
  return outages;
}

it(
  `${SECONDS} seconds of load and kills: what was acknowledged is there, and nothing by halves`,
  async () => {
    const until = Date.now() + SECONDS * 1_000;
    const lanes = Array.from({ length: LANES }, (_, number) => load(number, until));
    const [outages] = await Promise.all([trouble(until), ...lanes]);
    const ready = async () => (await fetch(`${gateway.admin}/readyz`)).status;
    await expect.poll(ready, PATIENCE).toBe(200);

    const listed = new Map<string, number>();
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
    for (const { Key = '', Size = -1 } of Contents) listed.set(Key, Size);
    for (const key of new Set([...expected.keys, ...listed.keys()])) {
      const found = await look(key);
      expect([key, listed.get(key)]).toEqual([key, found?.length]);
      if (found === undefined) continue;
      const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket, Key: key }));
      expect([key, ContentLength]).toEqual([key, found.length]);
    }
    expect(wrong, `seed ${SEED}`).toEqual([]);
    // It was a test at all: every kind of action succeeded, and was hit by outages.
    expect(outages).toBeGreaterThanOrEqual(Math.min(OUTAGES.length, Math.floor(SECONDS / 6)));
    for (const [name, count] of Object.entries(acknowledged)) expect([name, count > 0]).toEqual([name, true]);
    expect(Object.values(doubtful).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
    console.info(
      `${outages} outages; acknowledged ${JSON.stringify(acknowledged)}, in doubt ${JSON.stringify(doubtful)}`,
    );
  },
  (SECONDS + 120) * 1_000,
);
