import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateBucketCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET, codeOf, pattern, type Started, startDevstore } from './started.ts';

const SOURCE = 'src//a b?é';
const bytes = pattern(100_000);
const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;

let started: Started;
beforeAll(async () => {
  started = await startDevstore();
  await started.client.send(new CreateBucketCommand({ Bucket: 'other' }));
  await started.client.send(
    new PutObjectCommand({
      Bucket: BUCKET,
      Key: SOURCE,
      Body: bytes,
      ContentType: 'text/plain',
      Metadata: { sx1: 'envelope' },
      Tagging: 'a=1',
      StorageClass: 'STANDARD_IA',
    }),
  );
});
afterAll(() => started.stop());

const copy = (Key: string, more: Partial<CopyObjectCommandInput> = {}) =>
  started.client.send(
    new CopyObjectCommand({ Bucket: BUCKET, Key, CopySource: `/${BUCKET}/${encodeURIComponent(SOURCE)}`, ...more }),
  );
const head = (Key: string, Bucket = BUCKET) => started.client.send(new HeadObjectCommand({ Bucket, Key }));

describe('CopyObject', () => {
  test('takes bytes, headers, metadata and tags along, but no storage class', async () => {
    expect((await copy('copy')).CopyObjectResult?.ETag).toBe(etag);
    const copied = await head('copy');
    expect(copied).toMatchObject({ ETag: etag, ContentType: 'text/plain', Metadata: { sx1: 'envelope' } });
    expect((await started.devstore.stored.read(BUCKET, 'copy')).bytes.equals(bytes)).toBe(true);
    const tags = await started.client.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key: 'copy' }));
    expect(tags.TagSet).toEqual([{ Key: 'a', Value: '1' }]);
    await started.devstore.stored.delete(BUCKET, 'copy');
    expect((await started.devstore.stored.read(BUCKET, SOURCE)).bytes.equals(bytes)).toBe(true);
  });

  test('replaces metadata and tags where told', async () => {
    await copy('new meta', { MetadataDirective: 'REPLACE', ContentType: 'a/b', Metadata: { n: '1' } });
    expect(await head('new meta')).toMatchObject({ ContentType: 'a/b', Metadata: { n: '1' } });
    await copy('new tags', { TaggingDirective: 'REPLACE', Tagging: 'b=2' });
    const tags = await started.client.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key: 'new tags' }));
    expect(tags.TagSet).toEqual([{ Key: 'b', Value: '2' }]);
    expect(await head('new tags')).toMatchObject({ ContentType: 'text/plain', Metadata: { sx1: 'envelope' } });
  });

  test('goes from bucket to bucket', async () => {
    await copy('over there', { Bucket: 'other', CopySource: `${BUCKET}/${encodeURIComponent(SOURCE)}?versionId=null` });
    expect((await started.devstore.stored.read('other', 'over there')).bytes.equals(bytes)).toBe(true);
  });

  test('onto itself needs a change', async () => {
    expect(await codeOf(copy(SOURCE))).toBe('400 InvalidRequest');
    await copy(SOURCE, {
      MetadataDirective: 'REPLACE',
      ContentType: 'text/plain',
      Metadata: { sx1: 'envelope' },
      StorageClass: 'STANDARD_IA',
    });
    expect((await started.devstore.stored.read(BUCKET, SOURCE)).bytes.equals(bytes)).toBe(true);
  });

  test.each<[Partial<CopyObjectCommandInput>, string]>([
    [{ CopySourceIfMatch: etag }, 'none'],
    [{ CopySourceIfMatch: '"other"' }, '412 PreconditionFailed'],
    [{ CopySourceIfNoneMatch: etag }, '412 PreconditionFailed'],
    [{ CopySourceIfModifiedSince: new Date(Date.now() + 3_600_000) }, '412 PreconditionFailed'],
    [{ CopySourceIfUnmodifiedSince: new Date(0) }, '412 PreconditionFailed'],
    [{ IfNoneMatch: '*' }, '412 PreconditionFailed'],
    [{ IfMatch: '"other"' }, '412 PreconditionFailed'],
    [{ IfMatch: etag }, 'none'],
    [{ CopySource: `${BUCKET}/none` }, '404 NoSuchKey'],
    [{ CopySource: 'nowhere/none' }, '404 NoSuchBucket'],
    [{ CopySource: 'nothing' }, '400 InvalidArgument'],
    [{ CopySource: `${BUCKET}/x?versionId=v1` }, '404 NoSuchVersion'],
    [{ MetadataDirective: 'OTHER' as 'COPY' }, '400 InvalidArgument'],
  ])('%o: %s', async (more, expected) => {
    await started.client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'target', Body: bytes }));
    expect(await codeOf(copy('target', more))).toBe(expected);
  });
});
