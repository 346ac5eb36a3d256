import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../keys/eventually.ts';
import { SIDECAR_ACL } from '../../keys/store/least-acl.ts';
import { payload } from '../../support/payload.ts';
import { type GatewayProcess, startGateway } from '../../support/servers/gateway.ts';
import { type Minio, startMinio } from '../../support/servers/minio.ts';
import { type RedisServer, startRedis } from '../../support/servers/redis.ts';
import { backendSettings } from '../../support/servers/store.ts';
import { expectServed, onceClient, read } from '../../support/sight.ts';

/** A sidecar as deploy/kubernetes runs it: one tenant's wrap key, a Redis user that reaches its records alone. */

const BUCKET = 'acme-sidecar';
const ACL = SIDECAR_ACL.replace('user photos', 'user acme').replaceAll('/photos', '/acme');

let minio: Minio;
let redis: RedisServer;
let gateway: GatewayProcess;
let sidecar: GatewayProcess;
let client: S3Client;
let beside: S3Client;

beforeAll(async () => {
  [minio, redis] = await Promise.all([startMinio(), startRedis({ requirepass: 'admin', acl: [ACL] })]);
  gateway = await startGateway({ backend: backendSettings(minio), keyStore: { redis: redis.url } });
  const keyFile = join(gateway.folder, 'wrap.key');
  expect(await gateway.command(['tenant', 'wrap-key', 'acme', '--out', keyFile])).toMatchObject({
    code: 0,
    stderr: '',
  });
  expect(await gateway.command(['tenant', 'wrap-key', 'acme', '--out', keyFile])).toMatchObject({ code: 1 });
  const store = { redis: `redis://127.0.0.1:${redis.port}`, username: 'acme', password: 'pass' };
  sidecar = await startGateway({
    backend: backendSettings(minio),
    more: { keys: { tenant: 'acme', root: { file: keyFile }, store } },
    tenantExists: true,
  });
  [client, beside] = [onceClient(gateway), onceClient(sidecar)];
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
});

afterAll(async () => {
  client?.destroy();
  beside?.destroy();
  await Promise.all([gateway?.stop(), sidecar?.stop()]);
  await Promise.all([minio?.stop(), redis?.stop()]);
});

/** 'fine', or the code that came instead. */
const fate = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    (error: { name: string }) => error.name,
  );

it('a sidecar reads what the deployment wrote, the other way round, and in parts', async () => {
  const body = payload(300_000, 7);
  await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'deployment', Body: body }));
  await beside.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'sidecar', Body: body }));
  await expectServed(beside, BUCKET, 'deployment', body);
  await expectServed(client, BUCKET, 'sidecar', body);
  const at = { Bucket: BUCKET, Key: 'parts' };
  const { UploadId } = await beside.send(new CreateMultipartUploadCommand(at));
  // The first reaches the store as it is, the second waits in the staging bucket.
  const parts = [payload(6 * 1024 * 1024, 8), payload(1000, 9)];
  const sent = [];
  for (const [index, Body] of parts.entries()) {
    const { ETag } = await beside.send(new UploadPartCommand({ ...at, UploadId, PartNumber: index + 1, Body }));
    sent.push({ PartNumber: index + 1, ETag });
  }
  await beside.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts: sent } }));
  await expectServed(client, BUCKET, 'parts', Buffer.concat(parts));
});

it('an access key that is revoked where the root key is stops working in the sidecar within a second', async () => {
  const added = await gateway.command(['credential', 'add', 'acme', '--json']);
  const revoked = onceClient(sidecar, JSON.parse(added.stdout) as { accessKeyId: string; secretAccessKey: string });
  const look = (wanted: string) => async () =>
    (await fate(read(revoked, { Bucket: BUCKET, Key: 'deployment' }))) === wanted;
  await eventually(1000, look('fine'));
  const { accessKeyId } = JSON.parse(added.stdout) as { accessKeyId: string };
  expect((await gateway.command(['credential', 'revoke', accessKeyId])).code).toBe(0);
  await eventually(1000, look('InvalidAccessKeyId'));
  revoked.destroy();
});

it('check tells that a sidecar is well, and administration is refused there', async () => {
  const { stdout, code } = await sidecar.command(['check']);
  expect(stdout).toMatch(/✔ key store: Redis answers, and the tenant’s wrap key opens acme’s \d records/);
  expect(stdout).toMatch(/✔ uploads: [\s\S]*✔ etags: [\s\S]*! probe: not sent/);
  expect(stdout).not.toContain('✖');
  expect(code).toBe(0);
  for (const args of [
    ['credential', 'add', 'acme'],
    ['tenant', 'wrap-key', 'acme'],
  ]) {
    const refused = await sidecar.command(args);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/keys\.tenant/)]);
  }
});

it('without its view a sidecar lets nobody in, and does not start', async () => {
  expect((await gateway.command(['tenant', 'wrap-key', 'acme', '--remove'])).code).toBe(0);
  const look = () => fate(read(beside, { Bucket: BUCKET, Key: 'deployment' }));
  await eventually(1500, async () => (await look()) === 'InvalidAccessKeyId');
  await sidecar.kill();
  const started = await sidecar.command(['serve']);
  expect([started.code, started.stdout + started.stderr]).toEqual([1, expect.stringContaining('tenant wrap-key acme')]);
  expect((await gateway.command(['tenant', 'wrap-key', 'acme'])).code).toBe(0);
  await sidecar.start();
  expect(await look()).toBe('fine');
});
