import { createHash } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  DeleteObjectTaggingCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clientError } from '../../src/errors.ts';
import { BUCKET, codeOf, pattern, raw, type Started, startDevstore } from './started.ts';

let started: Started;
beforeAll(async () => {
  started = await startDevstore({ now: () => new Date('2026-01-02T03:04:05.700Z') });
});
afterAll(() => started.stop());

const put = (Key: string, Body: PutObjectCommandInput['Body'], more: Partial<PutObjectCommandInput> = {}) =>
  started.client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more }));
const get = async (Key: string, more: Partial<GetObjectCommandInput> = {}) => {
  const answer = await started.client.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...more }));
  return { ...answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
};
const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('hex');
const dataOf = (text: string) => Buffer.from(text);

describe('keys', () => {
  test('of every kind name their own object', async () => {
    const keys = [
      'a',
      'a/b',
      'a/b/',
      'a//b',
      '//',
      '/lead',
      '.',
      '..',
      '../..',
      'x/../y',
      'x/./y',
      'Case',
      'case',
      '\u0001\u0002\n\r\t\u007f',
      ' blank ',
      '%2F',
      '+',
      '?#&=;',
      '\\',
      'é',
      'e\u0301',
      '中文',
      '\u{1f600}',
      '\uffff',
      'k'.repeat(1024),
      `${'n'.repeat(300)}/${'m'.repeat(300)}`,
    ];
    for (const key of keys) await put(key, `the bytes of ${key}`);
    for (const key of keys) expect((await get(key)).bytes.toString()).toBe(`the bytes of ${key}`);
    expect(new Set(await started.devstore.stored.keys(BUCKET))).toEqual(new Set(keys));
    for (const key of keys) await started.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
    expect(await started.devstore.stored.keys(BUCKET)).toEqual([]);
  });

  test('of more than 1,024 bytes are too long', async () => {
    expect(await codeOf(put('k'.repeat(1025), 'x'))).toBe('400 KeyTooLongError');
    expect(await codeOf(put('é'.repeat(513), 'x'))).toBe('400 KeyTooLongError');
  });

  test('that are no UTF-8 are refused', async () => {
    expect((await raw(started.url, 'GET', `/${BUCKET}/%ff`)).body.toString()).toContain('<Code>InvalidURI</Code>');
  });
});

describe('an object', () => {
  test.each([0, 1, 65_535, 65_536, 300_000])('of %d bytes comes back whole, with its MD5 as ETag', async (size) => {
    const bytes = pattern(size);
    expect((await put('sized', bytes)).ETag).toBe(`"${md5(bytes)}"`);
    const got = await get('sized');
    expect(got.bytes.equals(bytes)).toBe(true);
    expect(got).toMatchObject({ ETag: `"${md5(bytes)}"`, ContentLength: size, AcceptRanges: 'bytes' });
    const head = await started.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'sized' }));
    expect(head).toMatchObject({ ETag: `"${md5(bytes)}"`, ContentLength: size });
  });

  test('keeps its headers, metadata and tags', async () => {
    await put('described', 'x', {
      ContentType: 'text/x; charset=utf-8',
      CacheControl: 'no-cache',
      ContentDisposition: 'attachment; filename="a b"',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      Expires: new Date('2030-01-02T03:04:05Z'),
      StorageClass: 'STANDARD_IA',
      Metadata: { sx1: 'AAAA', 'x-y': 'a  b', empty: '' },
      Tagging: 'one=1&two=a%20b',
    });
    expect(await get('described')).toMatchObject({
      ContentType: 'text/x; charset=utf-8',
      CacheControl: 'no-cache',
      ContentDisposition: 'attachment; filename="a b"',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      ExpiresString: 'Wed, 02 Jan 2030 03:04:05 GMT',
      StorageClass: 'STANDARD_IA',
      Metadata: { sx1: 'AAAA', 'x-y': 'a  b', empty: '' },
      TagCount: 2,
    });
  });

  test('without a content type is an octet stream', async () => {
    await raw(started.url, 'PUT', `/${BUCKET}/plain`, { body: dataOf('x') });
    expect((await raw(started.url, 'GET', `/${BUCKET}/plain`)).headers['content-type']).toBe('binary/octet-stream');
  });

  test('keeps the bytes of metadata that is not ASCII, and joins what is sent twice', async () => {
    const value = Buffer.from('grün', 'utf8').toString('latin1');
    const headers = { 'X-Amz-Meta-Colour': [value, 'blau'] };
    await raw(started.url, 'PUT', `/${BUCKET}/latin`, { headers, body: dataOf('x') });
    const answer = await raw(started.url, 'HEAD', `/${BUCKET}/latin`);
    expect(answer.headers['x-amz-meta-colour']).toBe(`${value},blau`);
  });

  test('takes 2,048 bytes of metadata, names included, and not one more', async () => {
    await put('meta', 'x', { Metadata: { 'four-1': 'v'.repeat(1000), 'four-2': 'v'.repeat(1036) } });
    const more = put('meta', 'y', { Metadata: { 'four-1': 'v'.repeat(1000), 'four-2': 'v'.repeat(1037) } });
    expect(await codeOf(more)).toBe('400 MetadataTooLarge');
    expect((await get('meta')).bytes.toString()).toBe('x');
  });

  test('that is gone is NoSuchKey, and deleting it again is well', async () => {
    await put('gone', 'x');
    for (let i = 0; i < 2; i++) await started.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'gone' }));
    expect(await codeOf(get('gone'))).toBe('404 NoSuchKey');
    const head = started.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'gone' }));
    expect(await codeOf(head)).toBe('404 NotFound');
  });

  test('has one version, null', async () => {
    await put('versioned', 'x');
    expect((await get('versioned', { VersionId: 'null' })).VersionId).toBe('null');
    expect(await codeOf(get('versioned', { VersionId: 'other' }))).toBe('404 NoSuchVersion');
  });

  test('answers under other headers where the query asks', async () => {
    await put('override', 'x', { ContentType: 'text/plain' });
    expect(await get('override', { ResponseContentType: 'text/csv', ResponseCacheControl: 'no-store' })).toMatchObject({
      ContentType: 'text/csv',
      CacheControl: 'no-store',
    });
  });
});

describe('ranges', () => {
  const bytes = pattern(1000);
  beforeAll(() => put('ranged', bytes));

  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=10-19', 10, 19],
    ['bytes=990-5000', 990, 999],
    ['bytes=500-', 500, 999],
    ['bytes=-1', 999, 999],
    ['bytes=-5000', 0, 999],
  ])('%s', async (Range, first, last) => {
    const got = await get('ranged', { Range });
    expect(got.$metadata.httpStatusCode).toBe(206);
    expect(got.ContentRange).toBe(`bytes ${first}-${last}/1000`);
    expect(got.bytes.equals(bytes.subarray(first, last + 1))).toBe(true);
    const head = await started.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'ranged', Range }));
    expect(head.ContentLength).toBe(last - first + 1);
  });

  test.each(['bytes=1000-', 'bytes=-0', 'bytes=4000-5000'])('%s cannot be satisfied', async (Range) => {
    expect(await codeOf(get('ranged', { Range }))).toBe('416 InvalidRange');
  });

  test.each(['bytes=5-4', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=x'])('%s is ignored', async (Range) => {
    const got = await get('ranged', { Range });
    expect([got.$metadata.httpStatusCode, got.bytes.length]).toEqual([200, 1000]);
  });

  test('If-Range of another version gets the whole', async () => {
    const headers = { range: 'bytes=0-1', 'if-range': '"other"' };
    expect((await raw(started.url, 'GET', `/${BUCKET}/ranged`, { headers })).status).toBe(200);
    headers['if-range'] = `"${md5(bytes)}"`;
    expect((await raw(started.url, 'GET', `/${BUCKET}/ranged`, { headers })).status).toBe(206);
  });

  test('no range of an empty object can be satisfied', async () => {
    await put('empty', '');
    expect(await codeOf(get('empty', { Range: 'bytes=0-' }))).toBe('416 InvalidRange');
  });
});

describe('conditions', () => {
  const etag = `"${md5(dataOf('x'))}"`;
  const before = new Date('2020-01-01T00:00:00Z');
  const after = new Date(Date.now() + 3_600_000);
  beforeAll(() => put('conditional', 'x'));

  test.each<[Partial<GetObjectCommandInput>, string]>([
    [{ IfMatch: etag }, 'none'],
    [{ IfMatch: '*' }, 'none'],
    [{ IfMatch: `"other", ${etag}` }, 'none'],
    [{ IfMatch: '"other"' }, '412 PreconditionFailed'],
    [{ IfNoneMatch: '"other"' }, 'none'],
    [{ IfNoneMatch: etag }, '304 304'],
    [{ IfModifiedSince: before }, 'none'],
    [{ IfModifiedSince: after }, '304 304'],
    [{ IfUnmodifiedSince: after }, 'none'],
    [{ IfUnmodifiedSince: before }, '412 PreconditionFailed'],
    [{ IfMatch: etag, IfUnmodifiedSince: before }, 'none'],
    [{ IfNoneMatch: '"other"', IfModifiedSince: after }, 'none'],
  ])('GET and HEAD with %o: %s', async (conditions, expected) => {
    const statusOf = async (promise: Promise<unknown>) => (await codeOf(promise)).slice(0, 3);
    expect(await statusOf(get('conditional', conditions))).toBe(expected.slice(0, 3));
    const head = started.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'conditional', ...conditions }));
    expect(await statusOf(head)).toBe(expected.slice(0, 3));
  });

  test('its own Last-Modified is not "modified since", though the store knows milliseconds', async () => {
    const { headers } = await raw(started.url, 'GET', `/${BUCKET}/conditional`);
    const since = headers['last-modified'] as string;
    for (const [name, status] of [
      ['if-modified-since', 304],
      ['if-unmodified-since', 200],
    ] as const) {
      expect((await raw(started.url, 'GET', `/${BUCKET}/conditional`, { headers: { [name]: since } })).status).toBe(
        status,
      );
    }
  });

  test('a 304 names the ETag and has no body', async () => {
    const answer = await raw(started.url, 'GET', `/${BUCKET}/conditional`, { headers: { 'if-none-match': etag } });
    expect([answer.status, answer.headers.etag, answer.body.length]).toEqual([304, etag, 0]);
  });

  test('PUT: If-None-Match * makes, If-Match replaces', async () => {
    expect(await codeOf(put('conditional', 'y', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    expect(await codeOf(put('conditional', 'y', { IfMatch: '"other"' }))).toBe('412 PreconditionFailed');
    expect(await codeOf(put('absent', 'y', { IfMatch: etag }))).toBe('404 NoSuchKey');
    expect(await codeOf(put('conditional', 'y', { IfNoneMatch: etag }))).toBe('501 NotImplemented');
    expect((await get('conditional')).bytes.toString()).toBe('x');
    expect(await codeOf(put('fresh', 'y', { IfNoneMatch: '*' }))).toBe('none');
    expect(await codeOf(put('conditional', 'x', { IfMatch: etag }))).toBe('none');
  });

  test('of many writers with If-None-Match *, one wins', async () => {
    const writers = Array.from({ length: 12 }, (_, i) => codeOf(put('race', `writer ${i}`, { IfNoneMatch: '*' })));
    const codes = await Promise.all(writers);
    expect(codes.filter((code) => code === 'none')).toHaveLength(1);
    expect(codes.filter((code) => code === '412 PreconditionFailed')).toHaveLength(11);
    expect((await get('race')).bytes.toString()).toBe(`writer ${codes.indexOf('none')}`);
  });

  test('DELETE: If-Match', async () => {
    await put('kept', 'x');
    const remove = (IfMatch: string) =>
      codeOf(started.client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'kept', IfMatch })));
    expect(await remove('"other"')).toBe('412 PreconditionFailed');
    expect(await remove(etag)).toBe('none');
    expect(await remove(etag)).toBe('404 NoSuchKey');
  });
});

describe('digests', () => {
  const body = dataOf('body');
  const sha256 = createHash('sha256').update(body).digest('hex');
  const send = async (headers: Record<string, string>) => {
    const answer = await raw(started.url, 'PUT', `/${BUCKET}/digest`, { headers, body });
    return /<Code>(.*)<\/Code>/.exec(answer.body.toString())?.[1] ?? answer.status;
  };

  test.each<[Record<string, string>, unknown]>([
    [{ 'x-amz-content-sha256': sha256 }, 200],
    [{ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, 200],
    [{ 'x-amz-content-sha256': sha256.replace(/^./, 'g') }, 200],
    [{ 'x-amz-content-sha256': createHash('sha256').digest('hex') }, 'XAmzContentSHA256Mismatch'],
    [{ 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' }, 'NotImplemented'],
    [{ 'content-md5': createHash('md5').update(body).digest('base64') }, 200],
    [{ 'content-md5': createHash('md5').digest('base64') }, 'BadDigest'],
    [{ 'content-md5': 'short' }, 'InvalidDigest'],
  ])('%o: %s', async (headers, expected) => {
    await started.devstore.stored.delete(BUCKET, 'digest');
    expect(await send(headers)).toBe(expected);
    expect(await started.devstore.stored.keys(BUCKET)).toEqual(
      expected === 200 ? expect.arrayContaining(['digest']) : expect.not.arrayContaining(['digest']),
    );
  });

  test('a body of unknown length is refused', async () => {
    const headers = { 'transfer-encoding': 'chunked' };
    const answer = await raw(started.url, 'PUT', `/${BUCKET}/digest`, { headers });
    expect(answer.status).toBe(411);
  });
});

describe('DeleteObjects', () => {
  test('deletes what is there, says so of what is not, and of a version that is none', async () => {
    for (const key of ['many/1', 'many/<&>"\'', 'many/é']) await put(key, 'x');
    const Objects = [
      { Key: 'many/1' },
      { Key: 'many/<&>"\'' },
      { Key: 'many/é', VersionId: 'null' },
      { Key: 'many/none' },
      { Key: 'many/odd', VersionId: 'odd' },
    ];
    const answer = await started.client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(['many/1', 'many/<&>"\'', 'many/é', 'many/none']);
    expect(answer.Errors).toMatchObject([{ Key: 'many/odd', VersionId: 'odd', Code: 'NoSuchVersion' }]);
    const left = await started.client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'many/' }));
    expect(left.KeyCount).toBe(0);
  });

  test('quiet answers with errors alone; nothing to delete is malformed', async () => {
    const command = (Objects: { Key: string }[]) =>
      new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Quiet: true, Objects } });
    expect((await started.client.send(command([{ Key: 'nothing' }]))).Deleted).toBeUndefined();
    expect(await codeOf(started.client.send(command([])))).toBe('400 MalformedXML');
  });
});

describe('tags', () => {
  test('are put, got and deleted as a subresource, and leave the object alone', async () => {
    await put('tagged', 'x', { Metadata: { kept: 'yes' } });
    const of = { Bucket: BUCKET, Key: 'tagged' };
    const TagSet = [
      { Key: 'a&b', Value: '<1>' },
      { Key: 'c', Value: '' },
    ];
    await started.client.send(new PutObjectTaggingCommand({ ...of, Tagging: { TagSet } }));
    expect((await started.client.send(new GetObjectTaggingCommand(of))).TagSet).toEqual(TagSet);
    expect(await get('tagged')).toMatchObject({ TagCount: 2, Metadata: { kept: 'yes' } });
    await started.client.send(new DeleteObjectTaggingCommand(of));
    expect((await started.client.send(new GetObjectTaggingCommand(of))).TagSet).toEqual([]);
    const absent = { Bucket: BUCKET, Key: 'not there' };
    expect(await codeOf(started.client.send(new GetObjectTaggingCommand(absent)))).toBe('404 NoSuchKey');
  });
});

describe('buckets', () => {
  test('are made, listed, located and deleted', async () => {
    const { client } = started;
    const bucket = { Bucket: 'second.box-2' };
    const CreateBucketConfiguration = { LocationConstraint: 'eu-central-1' } as const;
    await client.send(new CreateBucketCommand({ ...bucket, CreateBucketConfiguration }));
    expect((await client.send(new GetBucketLocationCommand(bucket))).LocationConstraint).toBe('eu-central-1');
    expect((await client.send(new HeadBucketCommand(bucket))).BucketRegion).toBe('eu-central-1');
    expect(await codeOf(client.send(new CreateBucketCommand(bucket)))).toBe('409 BucketAlreadyOwnedByYou');
    expect((await client.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name)).toEqual([
      BUCKET,
      'second.box-2',
    ]);
    await client.send(new PutObjectCommand({ ...bucket, Key: 'x', Body: 'x' }));
    expect(await codeOf(client.send(new DeleteBucketCommand(bucket)))).toBe('409 BucketNotEmpty');
    await client.send(new DeleteObjectCommand({ ...bucket, Key: 'x' }));
    await client.send(new DeleteBucketCommand(bucket));
    expect(await codeOf(client.send(new HeadBucketCommand(bucket)))).toBe('404 NotFound');
    expect(await codeOf(client.send(new PutObjectCommand({ ...bucket, Key: 'x', Body: 'x' })))).toBe(
      '404 NoSuchBucket',
    );
  });

  test.each(['ab', 'Upper', '-a-', 'a..b', '%2e%2e', 'a%2fb', 'x'.repeat(64)])('%s is no name', async (name) => {
    expect((await raw(started.url, 'PUT', `/${name}`)).body.toString()).toContain('<Code>InvalidBucketName</Code>');
  });
});

describe('the door', () => {
  test('what it does not implement it says so, and leaves nothing out in silence', async () => {
    expect(await codeOf(started.client.send(new GetBucketAclCommand({ Bucket: BUCKET })))).toBe('501 NotImplemented');
    for (const [method, path] of [
      ['PUT', `/${BUCKET}/x?acl`],
      ['PUT', `/${BUCKET}/x?append`],
      ['GET', `/${BUCKET}/x?partNumber=1`],
      ['POST', `/${BUCKET}`],
      ['OPTIONS', `/${BUCKET}/x`],
    ] as const) {
      expect((await raw(started.url, method, path, { body: dataOf('') })).status).toBe(501);
    }
    expect(await codeOf(put('x', 'x', { ServerSideEncryption: 'AES256' }))).toBe('501 NotImplemented');
  });

  test('lets nobody in whom authorize refuses, and stores nothing of theirs', async () => {
    const guarded = await startDevstore({
      authorize: (request) => {
        if (request.headers.get('x-name') === 'friend') return { accessKeyId: 'friend' };
        throw clientError('SignatureDoesNotMatch', 'Who are you?');
      },
      directory: `${started.directory}/guarded`,
    });
    try {
      const friend = { 'x-name': 'friend' };
      expect((await raw(guarded.url, 'PUT', '/theirs', { headers: friend })).status).toBe(200);
      const refused = await raw(guarded.url, 'PUT', '/theirs/x', { body: dataOf('x') });
      expect([refused.status, refused.body.toString().includes('<Code>SignatureDoesNotMatch</Code>')]).toEqual([
        403,
        true,
      ]);
      expect(await guarded.devstore.stored.keys('theirs')).toEqual([]);
    } finally {
      await guarded.devstore.close();
    }
  });
});
