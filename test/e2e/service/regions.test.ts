import { CreateBucketCommand, HeadBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { payload } from '../../support/payload.ts';
import { clientSettings, type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { expectServed } from '../../support/sight.ts';

/** With `anyRegion`, applications keep whatever region they were set to before a gateway stood before their store. */

const BUCKET = 'acme-regions';

let stand: Stand;
beforeAll(async () => {
  stand = await standOnMinio({ more: { anyRegion: true } });
});
afterAll(() => stand?.stop());

it.each(['us-east-1', 'eu-central-1', 'old-datacenter'])('a client in %s', async (region) => {
  const client = new S3Client({ ...clientSettings(stand.gateway), region, maxAttempts: 1 });
  const Bucket = `${BUCKET}-${region}`;
  await client.send(new CreateBucketCommand({ Bucket }));
  const sent = payload(200_000, 1);
  await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: sent }));
  await expectServed(client, Bucket, 'k', sent);
  const { url, fields } = await createPresignedPost(client, { Bucket, Key: 'form' });
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([sent]));
  expect((await fetch(url, { method: 'POST', body: form })).status).toBe(204);
  await expectServed(client, Bucket, 'form', sent);
  // Where buckets are said to lie stays one region.
  expect((await client.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe('us-east-1');
  client.destroy();
});
