import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackendConnection } from '../../src/backend/connection.ts';
import { ObjectClient } from '../../src/cli/shell/object-client.ts';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import { backendOptions } from '../support/backend-options.ts';
import { type SharedMinio, sharedMinio } from '../support/servers/minio.ts';

let minio: SharedMinio;
let store: S3Client;
let connection: BackendConnection;
let client: ObjectClient;

beforeAll(async () => {
  minio = await sharedMinio();
  const { endpoint, region, accessKeyId, secretAccessKey } = minio;
  store = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
  connection = new BackendConnection(backendOptions(endpoint));
  client = new ObjectClient({ back: s3Back, connection });
});

afterAll(async () => {
  store?.destroy();
  await connection?.destroy();
  await minio?.stop();
});

async function versionedBucket(Bucket: string): Promise<void> {
  await store.send(new CreateBucketCommand({ Bucket }));
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await store.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
}

// What `tenant remove` asks before it destroys keys.
describe('whether a bucket holds objects', () => {
  it('a deleted object whose older version is kept is held, though a delete marker stands before it', async () => {
    await versionedBucket('kept');
    await store.send(new PutObjectCommand({ Bucket: 'kept', Key: 'a', Body: 'bytes' }));
    await store.send(new DeleteObjectCommand({ Bucket: 'kept', Key: 'a' }));
    expect(await client.holdsObjects('kept')).toBe(true);
  });

  it('delete markers alone are nothing', async () => {
    await versionedBucket('markers');
    for (const Key of ['a', 'b', 'c']) await store.send(new DeleteObjectCommand({ Bucket: 'markers', Key }));
    expect(await client.holdsObjects('markers')).toBe(false);
  });

  it('a version behind many delete markers is found', async () => {
    await versionedBucket('behind');
    await store.send(new PutObjectCommand({ Bucket: 'behind', Key: 'z', Body: 'bytes' }));
    const delet = (Key: string) => store.send(new DeleteObjectCommand({ Bucket: 'behind', Key }));
    for (let at = 0; at < 1010; at += 10) {
      await Promise.all(Array.from({ length: 10 }, (_, beside) => delet(`a${at + beside}`)));
    }
    await delet('z');
    expect(await client.holdsObjects('behind')).toBe(true);
  });
});
