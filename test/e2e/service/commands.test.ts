import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { payload } from '../../support/payload.ts';
import { TENANT } from '../../support/servers/gateway.ts';
import { standOnMinio } from '../../support/servers/stand.ts';
import { backendClient, onceClient, read, refusal } from '../../support/sight.ts';

/** The command line beside a gateway that serves from MinIO and Redis: what an operator's scripts read. */
const BODY = payload(300_000, 7);
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const RING = expect.stringMatching(/^[0-9a-f]{16}$/);
const POLICY = {
  protection: 'seal',
  mixed: false,
  location: 'enforce',
  metadata: 'enforce',
  quantum: 0,
  anonymous: false,
  etag: 'opaque',
};
const SETTINGS = { sigv2: false, backendAccessKeyId: null };
/** An acknowledged change is known to a running gateway within a second; a loaded machine gets a few. */
const KNOWN_WITHIN_MILLISECONDS = 20_000;

interface Credential {
  readonly tenant: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

let stand: Awaited<ReturnType<typeof standOnMinio>>;
let store: S3Client;
let photos: Credential;
let client: S3Client;

beforeAll(async () => {
  stand = await standOnMinio();
  store = backendClient(stand.minio);
});

afterAll(async () => {
  for (const each of [store, client]) each?.destroy();
  await stand?.stop();
});

async function json<T>(...args: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await stand.gateway.command([...args, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

/** How the gateway answers a head of an object that is there, once it no longer answers `before`. */
async function answerAfter(by: S3Client, before: number | undefined): Promise<number | undefined> {
  const deadline = Date.now() + KNOWN_WITHIN_MILLISECONDS;
  for (;;) {
    const asked = new HeadObjectCommand({ Bucket: 'photos', Key: 'a/b' });
    const [status] = await by.send(asked).then(
      () => [200] as const,
      (error) => refusal(Promise.reject(error)),
    );
    if (status !== before || Date.now() > deadline) return status;
    await delay(50);
  }
}

it('tenant add prints what a script needs, and the running gateway takes it', async () => {
  photos = await json<Credential>('tenant', 'add', 'photos', '--bucket', 'photos', 'photos-*');
  expect(photos).toEqual({
    tenant: 'photos',
    accessKeyId: expect.stringMatching(/^SG[A-Z0-9]{18}$/),
    secretAccessKey: expect.stringMatching(/^[A-Za-z0-9]{40}$/),
  });
  client = onceClient(stand.gateway, photos);
  await client.send(new CreateBucketCommand({ Bucket: 'photos' }));
  const object = { Bucket: 'photos', Key: 'a/b', Body: BODY, Metadata: { color: 'blue' } };
  await client.send(new PutObjectCommand(object));
  expect((await read(client, { Bucket: 'photos', Key: 'a/b' })).equals(BODY)).toBe(true);
});

it('lists name every field and no secret', async () => {
  const [tenants, credentials, keys] = [
    await json<unknown[]>('tenant', 'list'),
    await json<unknown[]>('credential', 'list', 'photos'),
    await json<unknown[]>('key', 'list', 'photos'),
  ];
  expect(tenants).toEqual([
    { tenant: TENANT.name, keyRing: RING, createdAt: TIME, buckets: [{ pattern: 'acme-*', ...POLICY }], ...SETTINGS },
    {
      tenant: 'photos',
      keyRing: RING,
      createdAt: TIME,
      buckets: [
        { pattern: 'photos', ...POLICY },
        { pattern: 'photos-*', ...POLICY },
      ],
      ...SETTINGS,
    },
  ]);
  expect(credentials).toEqual([
    { tenant: 'photos', accessKeyId: photos.accessKeyId, createdAt: TIME, backendAccessKeyId: null },
  ]);
  expect(keys).toEqual([{ tenant: 'photos', keyRing: RING, version: 1, current: true, createdAt: TIME }]);
});

it('a Redis dump holds neither a secret nor a name that is not in its keys', async () => {
  const redis = stand.redis.client();
  const names = await redis.keys('*');
  const values = await Promise.all(names.map((name) => redis.getBuffer(name)));
  redis.disconnect();
  expect(names.toSorted()).toContain(`sealgate:credential/${photos.accessKeyId}`);
  const all = Buffer.concat(values.filter((value) => value !== null));
  for (const secret of [photos.secretAccessKey, TENANT.secretAccessKey]) {
    for (const form of [secret, Buffer.from(secret).toString('base64'), Buffer.from(secret).toString('hex')]) {
      expect(all.includes(form)).toBe(false);
    }
  }
  expect(all.includes('photos-')).toBe(false);
});

it('a second credential works until it is revoked', async () => {
  const secretFile = join(stand.gateway.folder, 'photos.secret');
  await writeFile(secretFile, 'a/Secret+From=Before/1234567890\n');
  const given = ['--access-key', 'AKIAFROMBEFORE00001', '--secret-file', secretFile];
  const second = await json<Credential>('credential', 'add', 'photos', ...given);
  expect(second).toEqual({
    tenant: 'photos',
    accessKeyId: 'AKIAFROMBEFORE00001',
    secretAccessKey: 'a/Secret+From=Before/1234567890',
  });
  const by = onceClient(stand.gateway, second);
  expect(await answerAfter(by, 403)).toBe(200);
  expect(await json('credential', 'revoke', 'AKIAFROMBEFORE00001')).toEqual({ revoked: 'AKIAFROMBEFORE00001' });
  expect(await answerAfter(by, 200)).toBe(403);
  expect(await answerAfter(client, 403)).toBe(200);
  by.destroy();
});

it('what was downloaded from MinIO is explained, and opened: with its metadata, or from the copy at its end', async () => {
  const { folder, command } = stand.gateway;
  const answer = await store.send(new GetObjectCommand({ Bucket: 'photos', Key: 'a/b' }));
  const sealed = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  expect(sealed.includes(BODY.subarray(1000, 1032))).toBe(false);
  const [file, metadata, out] = [join(folder, 'raw'), join(folder, 'head.json'), join(folder, 'out')];
  await writeFile(file, sealed);
  await writeFile(metadata, JSON.stringify({ Metadata: answer.Metadata }, undefined, 4));

  const explained = await json<Record<string, unknown>>('inspect', file, '--metadata', metadata);
  expect(explained).toMatchObject({
    source: file,
    format: 'SX1',
    authenticated: true,
    envelope: { source: 'metadata', keyRingId: RING, kekVersion: 1, locationClaim: true, metadataTag: true },
    sizes: { storedBytes: sealed.length, plaintextBytes: BODY.length, segments: 5 },
    verification: { authentic: true, tenant: 'photos', currentKekVersion: 1 },
  });
  const verification = { ...(explained.verification as object), location: 'as sealed', metadata: 'as sealed' };
  expect(await json('inspect', 's3://photos/a/b')).toEqual({ ...explained, source: 's3://photos/a/b', verification });

  for (const args of [
    [file, '--metadata', metadata],
    [file, '--envelope', answer.Metadata?.sx1 ?? ''],
    [file, '--recover'],
    ['s3://photos/a/b'],
  ]) {
    const opened = await command(['open', ...args, '-o', out]);
    expect(opened).toEqual({ code: 0, stdout: '', stderr: `Wrote ${BODY.length} bytes to ${out}.\n` });
    expect((await readFile(out)).equals(BODY)).toBe(true);
    await writeFile(out, '');
  }
});

it('a tenant stays while its keys protect objects, and goes with its keys when they do not', async () => {
  const kept = await stand.gateway.command(['tenant', 'remove', 'photos', '--yes', '--json']);
  expect({ code: kept.code, stdout: kept.stdout }).toEqual({ code: 1, stdout: '' });
  expect(kept.stderr).toContain('Tenant photos stays: its keys protect objects in photos.');
  expect(await answerAfter(client, 403)).toBe(200);

  const [{ keyRing } = { keyRing: '' }] = await json<{ keyRing: string }[]>('key', 'list', 'photos');
  await client.send(new DeleteObjectCommand({ Bucket: 'photos', Key: 'a/b' }));
  expect(await json('tenant', 'remove', 'photos', '--yes')).toEqual({
    removed: 'photos',
    credentials: [photos.accessKeyId],
    destroyedRings: [keyRing],
  });
  expect(await answerAfter(client, 404)).toBe(403);
  expect(await json('key', 'list', 'photos')).toEqual([]);
});
