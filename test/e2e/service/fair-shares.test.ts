import { createHash } from 'node:crypto';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../../server/raw-client.ts';
import { payload } from '../../support/payload.ts';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import type { GatewayProcess } from '../../support/servers/gateway.ts';
import type { Stand } from '../../support/servers/stand.ts';
import { expectServed, onceClient } from '../../support/sight.ts';

/**
 * One tenant's slow clients hold all that they can get. Another tenant's requests are served meanwhile: not one fails,
 * and they are over before any of the slow ones is. Nothing here asks how fast.
 */

const MIB = 1024 * 1024;
const GREEDY = 'acme-greedy';
const OTHER = 'beta-other';
const CONNECTIONS = 8;
/** Many times the connections to the store, and more than a tenant's part of the memory. */
const SLOW = 60;
const MEMORY_BYTES = 24 * MIB;

/** More than the kernel holds for a client that does not read. */
const large = payload(12 * MIB, 41);
const small = payload(4096, 42);

async function clientOf(gateway: GatewayProcess, tenant: string): Promise<S3Client> {
  const { code, stdout } = await gateway.command(['tenant', 'add', tenant, '--bucket', `${tenant}-*`, '--json']);
  expect(code).toBe(0);
  return onceClient(gateway, JSON.parse(stdout) as { accessKeyId: string; secretAccessKey: string });
}

async function metric(gateway: GatewayProcess, name: string): Promise<number> {
  const text = await (await fetch(`${gateway.admin}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}

async function begin(gateway: GatewayProcess, url: URL, method: string, fields: string): Promise<RawClient> {
  const client = await RawClient.open(gateway.port);
  return client.send(`${method} ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n${fields}\r\n`);
}

describe.each(ALL_STANDS)('fair shares over %s', (name, start) => {
  let stand: Stand;
  let gateway: GatewayProcess;
  let greedy: S3Client;
  let other: S3Client;

  beforeAll(async () => {
    stand = await start({
      backend: { connections: CONNECTIONS, ...(name === 'the embedded stores' && { directory: 'objects' }) },
      more: { limits: { memoryBytes: MEMORY_BYTES, shutdownSeconds: 1 } },
    });
    gateway = stand.gateway;
    greedy = onceClient(gateway);
    other = await clientOf(gateway, 'beta');
    await greedy.send(new CreateBucketCommand({ Bucket: GREEDY }));
    await other.send(new CreateBucketCommand({ Bucket: OTHER }));
    await greedy.send(new PutObjectCommand({ Bucket: GREEDY, Key: 'large', Body: large }));
  });

  afterAll(async () => {
    greedy?.destroy();
    other?.destroy();
    await stand?.stop();
  });

  /** The other tenant's day, every request of which must be served. */
  async function expectOtherServed(): Promise<void> {
    await Promise.all(
      [0, 1, 2, 3].map(async (lane) => {
        for (let round = 0; round < 4; round++) {
          const at = { Bucket: OTHER, Key: `${lane}/${round}` };
          await other.send(new PutObjectCommand({ ...at, Body: small }));
          await expectServed(other, at.Bucket, at.Key, small);
          expect((await other.send(new HeadObjectCommand(at))).ContentLength).toBe(small.length);
        }
        const listed = await other.send(new ListObjectsV2Command({ Bucket: OTHER, Prefix: `${lane}/` }));
        expect(listed.KeyCount).toBe(4);
      }),
    );
    const two = { Bucket: OTHER, Key: 'two-mib', Body: large.subarray(0, 2 * MIB) };
    await other.send(new PutObjectCommand(two));
    await expectServed(other, OTHER, 'two-mib', two.Body);
    expect(await metric(gateway, 'sealgate_in_flight_bytes')).toBeLessThanOrEqual(MEMORY_BYTES);
  }

  it('slow readers of one presigned URL hold nobody up, and have every byte when they go on', async () => {
    const url = new URL(await getSignedUrl(greedy, new GetObjectCommand({ Bucket: GREEDY, Key: 'large' })));
    const readers = await Promise.all(
      Array.from({ length: SLOW }, async () => {
        const reader = await begin(gateway, url, 'GET', 'Connection: close\r\n');
        await Promise.race([reader.until('\r\n'), reader.closed()]);
        reader.socket.pause();
        return reader;
      }),
    );
    // Beyond the tenant's part of the memory clients hear SlowDown, which SDKs come again after.
    const held = readers.filter(({ text }) => text.startsWith('HTTP/1.1 200'));
    expect(held.length).toBeGreaterThan(CONNECTIONS);
    expect(new Set(readers.map(({ text }) => text.slice(9, 12)))).toEqual(new Set(['200', '503']));
    await expectOtherServed();
    expect(held.filter(({ socket }) => socket.readableEnded || socket.destroyed)).toEqual([]);
    const digest = createHash('sha256').update(large).digest('hex');
    for (const reader of held.slice(0, 2 * CONNECTIONS)) {
      reader.socket.resume();
      const { text } = await reader.closed();
      const body = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1');
      expect(createHash('sha256').update(body).digest('hex')).toBe(digest);
    }
    for (const { socket } of readers) socket.destroy();
    await expect.poll(() => metric(gateway, 'sealgate_in_flight_bytes')).toBe(0);
  });

  it('slow writers hold nobody up', async () => {
    const writers = await Promise.all(
      Array.from({ length: SLOW }, async (_, at) => {
        const url = new URL(await getSignedUrl(greedy, new PutObjectCommand({ Bucket: GREEDY, Key: `slow/${at}` })));
        const writer = await begin(gateway, url, 'PUT', `Content-Length: ${large.length}\r\n`);
        return writer.send(large.subarray(0, 200_000));
      }),
    );
    const refused = () => writers.filter(({ text }) => text !== '');
    const under = () => metric(gateway, 'sealgate_requests_in_flight');
    await expect.poll(async () => (await under()) + refused().length).toBeGreaterThanOrEqual(SLOW);
    await expectOtherServed();
    expect(await under()).toBeGreaterThan(0);
    for (const { text } of refused()) expect(text).toContain('<Code>SlowDown</Code>');
    for (const { socket } of writers) socket.destroy();
    await expect.poll(() => metric(gateway, 'sealgate_in_flight_bytes')).toBe(0);
    await expect.poll(() => metric(gateway, 'sealgate_requests_in_flight')).toBe(0);
  });
});
