import {
  AbortMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect } from 'vitest';
import { BackendConnection } from '../../../src/backend/connection.ts';
import { s3Back } from '../../../src/dialects/s3/back/back.ts';
import { Store } from '../../../src/store/store.ts';
import { Staging } from '../../../src/uploads/staging.ts';
import { stateId } from '../../../src/uploads/state-id.ts';
import { filesHolding } from '../../support/at-rest.ts';
import { backendOptions } from '../../support/backend-options.ts';
import { contentOf } from '../../support/expected-objects.ts';
import { peakMemoryMib, TENANT } from '../../support/servers/gateway.ts';
import { backendClient } from '../../support/sight.ts';
import { type Lane, MARK, readObject, type SoakRecord } from './lane.ts';
import { type Door, type SoakStand, STAGING_BUCKET, WITH_MD5 } from './stand.ts';

/** What must be true of a gateway at the end: see the goals of memory. */
const MAX_RESIDENT_MIB = 350;
const PATIENCE = { timeout: 30_000, interval: 100 };

export async function allReady({ doors }: SoakStand): Promise<void> {
  for (const { gateway } of doors) {
    await expect.poll(async () => (await fetch(`${gateway.admin}/readyz`)).status, PATIENCE).toBe(200);
  }
}

/** Read through one gateway, asked for by HEAD through the other: what each knows from before must not matter. */
export async function judgeObjects(
  Bucket: string,
  [one, other]: readonly [Door, Door],
  lanes: readonly Lane[],
  { expected, etags, wrong }: SoakRecord,
): Promise<void> {
  const prefixes = lanes.filter((lane) => lane.bucket === Bucket).map(({ prefix }) => prefix);
  const sent = expected.keys.filter((key) => prefixes.some((prefix) => key.startsWith(prefix)));
  const listed = new Map<string, { Size?: number | undefined; ETag?: string | undefined }>();
  let ContinuationToken: string | undefined;
  do {
    const page = await one.s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 50, ContinuationToken }));
    for (const { Key = '', Size, ETag } of page.Contents ?? []) listed.set(Key, { Size, ETag });
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken !== undefined);
  for (const key of new Set([...sent, ...listed.keys()])) {
    const found = await readObject(one.s3, { Bucket, Key: key });
    if (!expected.allows(key, found && contentOf(found.body)) || found?.mixed === true) {
      wrong.push(`at the end ${key} had ${found?.body.length ?? 'no'} bytes instead of ${expected.describe(key)}`);
    }
    expect([key, listed.get(key)?.Size]).toEqual([key, found?.body.length]);
    if (found === undefined) continue;
    const { ContentLength, ETag } = await other.s3.send(new HeadObjectCommand({ Bucket, Key: key }));
    expect([key, ContentLength, ETag]).toEqual([key, found.body.length, listed.get(key)?.ETag]);
    if (Bucket === WITH_MD5 && !etags.allows(found.body, ETag)) wrong.push(`${key} is shown with the ETag ${ETag}`);
  }
}

/** Uploads whose client never knew how they ended: they are listed, and can be aborted. */
export async function abortOpenUploads(Bucket: string, s3: S3Client): Promise<number> {
  let aborted = 0;
  for (;;) {
    const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
    if (Uploads.length === 0) return aborted;
    for (const { Key, UploadId } of Uploads) {
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
      aborted++;
    }
  }
}

/** Nothing of uploads that ended in peace; what outages left is swept out by age, and nothing else is there. */
export async function judgeStaging({ minio }: SoakStand, { clean, wrong }: SoakRecord): Promise<number> {
  const direct = backendClient(minio);
  const keys = async () => {
    const { Contents = [] } = await direct.send(new ListObjectsV2Command({ Bucket: STAGING_BUCKET }));
    // A look at the store that was killed leaves its own objects, which a look an hour later removes.
    return Contents.map(({ Key = '' }) => Key).filter((key) => !key.startsWith('sealgate-probe/'));
  };
  const left = await keys();
  for (const { bucket, key, uploadId } of clean) {
    const id = stateId({ tenant: TENANT.name, bucket, key, uploadId });
    if (left.some((name) => name.startsWith(id))) wrong.push(`${key} left parts in the staging bucket`);
  }
  const connection = new BackendConnection(backendOptions(minio.endpoint));
  const staging = new Staging({ bucket: STAGING_BUCKET, store: new Store(s3Back, connection) });
  await staging.sweep(
    { before: new Date(Date.now() + 60_000), isUnderWay: async () => false },
    new AbortController().signal,
  );
  expect(await keys()).toEqual([]);
  await connection.close();
  direct.destroy();
  return left.length;
}

/** Every state of an upload goes by itself. */
export async function judgeStates({ redis }: SoakStand): Promise<void> {
  const client = redis.client();
  const names = await client.keys('*upload/*');
  for (const name of names) expect([name, (await client.pttl(name)) > 0]).toEqual([name, true]);
  client.disconnect();
}

/** What is held in flight comes back to nothing, and memory never was beyond its bound. */
export async function judgeMemory({ doors }: SoakStand): Promise<number[]> {
  for (const { gateway } of doors) {
    const held = async () =>
      /^sealgate_in_flight_bytes (\d+)/m.exec(await (await fetch(`${gateway.admin}/metrics`)).text())?.[1];
    await expect.poll(held, PATIENCE).toBe('0');
  }
  const peaks = doors.map(({ gateway }) => Math.round(peakMemoryMib(gateway.pid())));
  for (const peak of peaks) expect(peak).toBeLessThan(MAX_RESIDENT_MIB);
  return peaks;
}

/** A thief of the disks, and a reader of the logs. */
export async function judgeSecrecy({ minio, redis, doors }: SoakStand): Promise<void> {
  for (const folder of [minio.directory, redis.directory]) expect(await filesHolding(folder, MARK)).toEqual([]);
  expect(await filesHolding(redis.directory, TENANT.secretAccessKey)).toEqual([]);
  for (const { gateway } of doors) {
    for (const secret of [MARK, TENANT.secretAccessKey]) expect(gateway.output()).not.toContain(secret);
  }
}
