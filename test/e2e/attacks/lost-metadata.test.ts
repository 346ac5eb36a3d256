import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { canonicalMetadata } from '../../../src/envelope/claims.ts';
import { encodeEnvelope, sealEnvelope } from '../../../src/envelope/envelope.ts';
import { ObjectKeys } from '../../../src/envelope/object-keys.ts';
import { sealObject } from '../../../src/envelope/streams.ts';
import { openStores } from '../../../src/gateway/open-stores.ts';
import { examineConfig } from '../../../src/settings/config.ts';
import { gather, sampleHead } from '../../envelope/sealed-sample.ts';
import { payload } from '../../support/payload.ts';
import { TENANT } from '../../support/servers/gateway.ts';
import { standOnMinio } from '../../support/servers/stand.ts';
import { backendClient, onceClient, read, refusal } from '../../support/sight.ts';

/**
 * Objects that earlier gateways acknowledged and nobody could read any more, because MinIO keeps no user metadata of
 * some names: served where a policy says so, and repaired by a command.
 */

const Bucket = 'acme-lost';
const LOST = 'x-amz-unencrypted-content-length';
const KNOWN_WITHIN_MILLISECONDS = 20_000;

let stand: Awaited<ReturnType<typeof standOnMinio>>;
let store: S3Client;
let client: S3Client;

beforeAll(async () => {
  stand = await standOnMinio();
  store = backendClient(stand.minio);
  client = onceClient(stand.gateway);
  await client.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  for (const each of [store, client]) each?.destroy();
  await stand?.stop();
});

/** As gateways wrote them that put every name in clear: flags 6, the tag over all of it. MinIO drops one name. */
async function putAsBefore(Key: string, body: Buffer, iv: string): Promise<void> {
  const { config } = examineConfig({ file: stand.gateway.configFile, env: {}, cwd: stand.gateway.folder });
  if (config === undefined) throw new Error('The configuration is not valid.');
  const stores = await openStores(config);
  try {
    const tenant = await stores.administration
      .listTenants()
      .then((all) => all.find(({ name }) => name === TENANT.name));
    if (tenant === undefined) throw new Error('There is no tenant.');
    const kek = await stores.keyRings.current(tenant.ringId);
    const [oid, dek, partSalt] = [payload(16, 1), payload(32, body.length), payload(16, 3)];
    const keys = new ObjectKeys(dek, oid);
    const content = { contentType: 'text/plain' };
    const user = [
      ['x-amz-iv', iv],
      [LOST, String(body.length)],
    ] as const;
    const fields = {
      locationTag: keys.locationTag(Bucket, Key),
      metadataTag: keys.metadataTag(canonicalMetadata({ content, user })),
      partSalt,
      plaintextBytes: body.length,
    };
    const head = sampleHead({
      oid,
      hasMetadataTag: true,
      keyRingId: kek.ringId,
      kekVersion: kek.version,
    });
    const sealed = { head, keys, dek, fields, kek: kek.key, tenant: TENANT.name, envelopeSalt: payload(16, 4) };
    const envelope = sealEnvelope(sealed);
    expect(envelope[2]).toBe(0b110);
    async function* plaintext() {
      yield body;
    }
    const whole = {
      keys,
      oid,
      partSalt,
      plaintextBytes: body.length,
      quantum: 0,
      envelope,
      footerSalt: payload(16, 5),
    } as const;
    const Body = await gather(sealObject(plaintext(), { ...whole, manifest: () => ({}) }));
    const Metadata = { ...Object.fromEntries(user), sx1: encodeEnvelope(envelope) };
    await store.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: content.contentType, Metadata }));
  } finally {
    await stores.close();
  }
}

async function warnings(): Promise<number> {
  const text = await (await fetch(`${stand.gateway.admin}/metrics`)).text();
  return Number(/^sealgate_policy_warnings_total\{claim="metadata"\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

async function untilKnown(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + KNOWN_WITHIN_MILLISECONDS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('The change is not known yet.');
    await delay(50);
  }
}

it('are served and counted by policy, and readable again once they were repaired', async () => {
  const bodies = new Map(['lost/a', 'lost/b', 'lost/großes'].map((key, at) => [key, payload(70_000 + at, at + 1)]));
  for (const [key, body] of bodies) await putAsBefore(key, body, `iv of ${key.length}`);
  const sound = payload(10, 9);
  await client.send(new PutObjectCommand({ Bucket, Key: 'lost/sound', Body: sound, Metadata: { [LOST]: '10' } }));
  const soundEtag = (await client.send(new HeadObjectCommand({ Bucket, Key: 'lost/sound' }))).ETag;

  const isRefused = async () =>
    (await refusal(client.send(new GetObjectCommand({ Bucket, Key: 'lost/a' }))))[0] === 422;
  expect(await isRefused()).toBe(true);

  const { command } = stand.gateway;
  expect((await command(['tenant', 'set', TENANT.name, '--bucket', 'acme-*:metadata=warn'])).code).toBe(0);
  await untilKnown(async () => !(await isRefused()));
  const before = await warnings();
  expect((await read(client, { Bucket, Key: 'lost/a' })).equals(bodies.get('lost/a') as Buffer)).toBe(true);
  expect(await warnings()).toBeGreaterThan(before);
  expect((await command(['tenant', 'set', TENANT.name, '--bucket', 'acme-*'])).code).toBe(0);
  await untilKnown(isRefused);

  const dry = await command(['repair', `s3://${Bucket}/lost/`, '--prefix', '--dry-run']);
  expect(dry.stderr).toBe('4 checked, 3 would be repaired, 0 failed.\n');
  expect(dry.stdout.split('\n').sort()).toEqual([
    '',
    'changed "s3://acme-lost/lost/a": {"contentType":"text/plain","metadata":{"x-amz-iv":"iv of 6"}}',
    'changed "s3://acme-lost/lost/b": {"contentType":"text/plain","metadata":{"x-amz-iv":"iv of 6"}}',
    'changed "s3://acme-lost/lost/großes": {"contentType":"text/plain","metadata":{"x-amz-iv":"iv of 11"}}',
  ]);
  expect(await isRefused()).toBe(true);

  const inspected = async (key: string) =>
    JSON.parse((await command(['inspect', `s3://${Bucket}/${key}`, '--json'])).stdout) as Record<string, object>;
  expect((await inspected('lost/a')).verification).toMatchObject({ location: 'as sealed', metadata: 'changed' });
  expect(await inspected('lost/sound')).toMatchObject({
    envelope: { carriesMetadata: true },
    carried: { content: {}, user: [[LOST, '10']] },
    verification: { location: 'as sealed', metadata: 'as sealed' },
  });

  const one = await command(['repair', `s3://${Bucket}/lost/a`]);
  expect([one.code, one.stderr]).toEqual([0, '1 checked, 1 repaired, 0 failed.\n']);
  const all = await command(['repair', `s3://${Bucket}/`, '--prefix']);
  expect([all.code, all.stderr]).toEqual([0, '4 checked, 2 repaired, 0 failed.\n']);
  for (const [key, body] of bodies) {
    expect((await read(client, { Bucket, Key: key })).equals(body)).toBe(true);
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: key }));
    expect([head.ContentType, head.ContentLength]).toEqual(['text/plain', body.length]);
    expect(head.Metadata).toEqual({ 'x-amz-iv': `iv of ${key.length}` });
  }
  const untouched = await client.send(new HeadObjectCommand({ Bucket, Key: 'lost/sound' }));
  expect([untouched.ETag, untouched.Metadata]).toEqual([soundEtag, { [LOST]: '10' }]);
});

it('of no tenant, of no key, or damaged are not repaired', async () => {
  const { command } = stand.gateway;
  await putAsBefore('damaged', payload(100, 1), 'iv');
  const { Metadata, Body } = await store.send(new GetObjectCommand({ Bucket, Key: 'damaged' }));
  const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
  await store.send(new PutObjectCommand({ Bucket, Key: 'damaged', Body: bytes.subarray(0, -1), Metadata }));
  const damaged = await command(['repair', `s3://${Bucket}/damaged`]);
  expect(damaged.code).toBe(1);
  expect(damaged.stderr).toContain('"s3://acme-lost/damaged": ObjectCorrupted: ');
  const absent = await command(['repair', `s3://${Bucket}/absent`]);
  expect([absent.code, absent.stderr]).toEqual([1, expect.stringContaining('"s3://acme-lost/absent": NoSuchKey: ')]);
  const nobody = await command(['repair', 's3://nobodys-bucket/k']);
  expect([nobody.code, nobody.stderr]).toEqual([
    1,
    expect.stringContaining('No tenant has the bucket nobodys-bucket.'),
  ]);
  expect((await command(['repair', 's3://acme-lost'])).code).toBe(2);
});
