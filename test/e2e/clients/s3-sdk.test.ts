import { Readable } from 'node:stream';
import { Sha512 } from '@aws-sdk/checksums/sha';
import { Xxh3_64, Xxh3_128, Xxh64 } from '@aws-sdk/checksums/xxh';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDigest } from '../../../src/checksums/digest.ts';
import { CHECKSUM_ALGORITHMS, CHECKSUMS } from '../../../src/dialects/s3/checksum.ts';
import { inPieces, payload, sha256 } from '../../support/payload.ts';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { clientSettings, type Stand } from '../../support/servers/stand.ts';
import type { StoreName } from '../../support/servers/store.ts';

const MIB = 1024 * 1024;
const BUCKET = 'acme-sdk';

/** Around every border of segments, of what is read whole, and of SDK buffers. */
const SIZES = [
  0,
  1,
  15,
  16,
  65_535,
  65_536,
  65_537,
  131_071,
  131_072,
  131_073,
  262_144,
  MIB,
  5 * MIB - 1,
  5 * MIB,
  5 * MIB + 1,
];

/** Those that the SDK has, but not by default. */
const LATER_ALGORITHMS = { SHA512: Sha512, XXHASH64: Xxh64, XXHASH3: Xxh3_64, XXHASH128: Xxh3_128 };

const AWKWARD_KEYS = [
  '/leading slash',
  'with space',
  'ünïcödé/中文/🗝',
  'percent%2Fencoded%20%',
  'plus+plus',
  'quote"\'<>&',
  'control\u0001\u001f\u007f',
  'back\\slash',
  '~!@#$^*()-_=[]{}|;:,.?`',
  `${'a'.repeat(250)}/${'b'.repeat(250)}/${'c'.repeat(250)}/${'d'.repeat(250)}/${'e'.repeat(20)}`,
];

/** What an XML document cannot say, and Go's writer of them says instead. */
const UNWRITABLE = '\ufffd';

/** MinIO and versitygw drop a leading slash from the name, and list what they kept; versitygw encodes no names. */
function listedAs(key: string, store: StoreName | undefined): string {
  if (store !== 'MinIO' && store !== 'versitygw') return key;
  const kept = key.replace(/^\//, '');
  return store === 'versitygw' ? kept.replace(/[\u0001\u001f]/g, UNWRITABLE) : kept;
}

/** The code that a store's rule about names comes to. */
function refusedBy(key: string, store: StoreName | undefined): string | undefined {
  if (store === 'MinIO' && key !== 'folder/') return 'InvalidArgument';
  if (store !== 'versitygw') return undefined;
  if (/^\.{1,2}\/|\/\.{1,2}\/|\/\//.test(key)) return 'InvalidArgument';
  if (key.startsWith('nnn')) return 'KeyTooLongError';
  // A key that ends in / is a folder there, and without bytes; what is sealed never is.
  return key === 'folder/' ? 'DirectoryObjectContainsData' : undefined;
}

describe.each(ALL_STANDS)('AWS SDK v3 over %s', (_name, start) => {
  let stand: Stand;
  let client: S3Client;

  beforeAll(async () => {
    stand = await start();
    client = new S3Client({ ...clientSettings(stand.gateway), checksumAlgorithms: LATER_ALGORITHMS });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
  });

  const put = (Key: string, Body: Buffer | Readable, more: object = {}) =>
    client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body, ...more }));

  async function get(Key: string, more: object = {}) {
    const answer = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key, ...more }));
    return { answer, body: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
  }

  /** Status and S3 code of what must fail. */
  async function failure(promise: Promise<unknown>): Promise<[number | undefined, string]> {
    try {
      await promise;
      return [undefined, 'nothing failed'];
    } catch (thrown) {
      const error = thrown as { readonly name: string; readonly $metadata: { readonly httpStatusCode?: number } };
      return [error.$metadata.httpStatusCode, error.name];
    }
  }

  it.each(SIZES)('round-trips %d bytes, with the same size and ETag in PUT, HEAD, GET and LIST', async (bytes) => {
    const sent = payload(bytes, bytes + 1);
    const Key = `size/${bytes}`;
    const stored = await put(Key, sent);
    const { answer, body } = await get(Key);
    expect(sha256(body)).toBe(sha256(sent));
    const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
    const list = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: Key }));
    const listed = list.Contents?.find((entry) => entry.Key === Key);
    expect([answer.ContentLength, head.ContentLength, listed?.Size]).toEqual([bytes, bytes, bytes]);
    expect(new Set([stored.ETag, answer.ETag, head.ETag, listed?.ETag]).size).toBe(1);
    expect(stored.ETag).toMatch(/^"[0-9a-f]{32}-0"$/);
  });

  it('round-trips 200 MiB as a stream of declared length', async () => {
    const piece = payload(MIB, 7);
    const pieces = Array.from({ length: 200 }, () => piece);
    await client.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: 'large', Body: Readable.from(pieces), ContentLength: 200 * MIB }),
    );
    const answer = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'large' }));
    let at = 0;
    for await (const chunk of answer.Body as Readable) {
      const bytes = chunk as Buffer;
      for (let done = 0; done < bytes.length; ) {
        const from = at % MIB;
        const length = Math.min(bytes.length - done, MIB - from);
        if (!bytes.subarray(done, done + length).equals(piece.subarray(from, from + length)))
          expect.fail(`differs near ${at}`);
        done += length;
        at += length;
      }
    }
    expect(at).toBe(200 * MIB);
  });

  it.each([0, 1, 100_000, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 20 * MIB + 3])(
    'takes %d bytes of undeclared length',
    async (bytes) => {
      // Presigned, because no SDK signs such a body; undici sends it chunked.
      const sent = payload(bytes, 3);
      const Key = `unknown/${bytes}`;
      const url = await getSignedUrl(client, new PutObjectCommand({ Bucket: BUCKET, Key }));
      const response = await fetch(url, {
        method: 'PUT',
        body: Readable.toWeb(Readable.from(inPieces(sent, 77_777))) as ReadableStream,
        duplex: 'half',
      } as RequestInit);
      expect([response.status, await response.text()]).toEqual([200, '']);
      const { answer, body } = await get(Key);
      expect(sha256(body)).toBe(sha256(sent));
      const list = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: Key }));
      expect(list.Contents?.find((entry) => entry.Key === Key)).toMatchObject({ Size: bytes, ETag: answer.ETag });
      if (bytes > 0) {
        const tail = await get(Key, { Range: 'bytes=-1' });
        expect(tail.body).toEqual(sent.subarray(-1));
        const middle = Math.floor(bytes / 2);
        const range = await get(Key, { Range: `bytes=${middle}-${middle + 99_999}` });
        expect(range.body.equals(sent.subarray(middle, middle + 100_000))).toBe(true);
      }
    },
  );

  describe('ranges', () => {
    const bytes = 3 * 65_536 + 1234;
    const sent = payload(bytes, 5);
    beforeAll(() => put('ranges', sent));

    it.each([
      ['bytes=0-0', 0, 0],
      ['bytes=0-', 0, bytes - 1],
      ['bytes=65535-65536', 65_535, 65_536],
      ['bytes=65536-131071', 65_536, 131_071],
      ['bytes=100000-150000', 100_000, 150_000],
      ['bytes=-1', bytes - 1, bytes - 1],
      ['bytes=-65536', bytes - 65_536, bytes - 1],
      [`bytes=-${bytes + 5}`, 0, bytes - 1],
      [`bytes=${bytes - 1}-${bytes + 1000}`, bytes - 1, bytes - 1],
      [`bytes=0-${2 ** 40}`, 0, bytes - 1],
    ])('%s', async (Range, first, last) => {
      const { answer, body } = await get('ranges', { Range });
      expect(answer.$metadata.httpStatusCode).toBe(206);
      expect(answer.ContentRange).toBe(`bytes ${first}-${last}/${bytes}`);
      expect(body.equals(sent.subarray(first, last + 1))).toBe(true);
    });

    it.each([`bytes=${bytes}-`, `bytes=${bytes + 600}-${bytes + 700}`, 'bytes=99999999-', 'bytes=-0'])(
      '%s is past the end',
      async (Range) => {
        expect(await failure(get('ranges', { Range }))).toEqual([416, 'InvalidRange']);
      },
    );

    it.each(['bytes=5-4', 'bytes=a-b', 'lines=1-2', 'bytes=0-1,4-5'])('%s is ignored', async (Range) => {
      const { answer, body } = await get('ranges', { Range });
      expect([answer.$metadata.httpStatusCode, body.length]).toEqual([200, bytes]);
    });

    it('of an empty object is past the end', async () => {
      await put('empty', Buffer.alloc(0));
      expect(await failure(get('empty', { Range: 'bytes=0-' }))).toEqual([416, 'InvalidRange']);
    });
  });

  it('evaluates conditions on the client’s ETags', async () => {
    const { ETag } = await put('conditions', Buffer.from('one'));
    const other = '"0123456789abcdef0123456789abcdef-0"';
    expect((await get('conditions', { IfMatch: ETag })).body.toString()).toBe('one');
    expect(await failure(get('conditions', { IfMatch: other }))).toEqual([412, 'PreconditionFailed']);
    expect(await failure(get('conditions', { IfNoneMatch: ETag }))).toEqual([304, 'Unknown']);
    expect((await get('conditions', { IfNoneMatch: other })).body.toString()).toBe('one');
    expect(await failure(put('conditions', Buffer.from('two'), { IfNoneMatch: '*' }))).toEqual([
      412,
      'PreconditionFailed',
    ]);
    expect(await failure(put('conditions', Buffer.from('two'), { IfMatch: other }))).toEqual([
      412,
      'PreconditionFailed',
    ]);
    // Ceph RGW 16 compares with the quotes: no ETag that a client sends names what lies there, and nothing is replaced.
    const holds = stand.store?.name !== 'Ceph RGW';
    if (holds) await put('conditions', Buffer.from('two'), { IfMatch: ETag });
    else expect((await failure(put('conditions', Buffer.from('two'), { IfMatch: ETag })))[0]).toBe(412);
    expect((await get('conditions')).body.toString()).toBe(holds ? 'two' : 'one');
  });

  it('names the object in a 304', async () => {
    const { ETag } = await put('unmodified', Buffer.from('one'));
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key: 'unmodified' }));
    const answer = await fetch(url, { headers: { 'if-none-match': String(ETag) } });
    expect([answer.status, answer.headers.get('etag'), await answer.text()]).toEqual([304, ETag, '']);
    expect(answer.headers.get('last-modified')).toMatch(/ GMT$/);
  });

  it('keeps metadata, content headers and response overrides', async () => {
    const Metadata = { plain: 'value', 'with-dash': 'a b  c', empty: '' };
    const headers = {
      ContentType: 'text/csv; charset=utf-8',
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment; filename="a.csv"',
      ContentEncoding: 'gzip',
      ContentLanguage: 'de',
      Expires: new Date('2030-01-01T00:00:00Z'),
    };
    await put('metadata', Buffer.from('x'), { Metadata, ...headers });
    const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'metadata' }));
    const { Expires: _expires, ...kept } = headers;
    expect(head).toMatchObject(kept);
    expect(head.ExpiresString).toBe('Tue, 01 Jan 2030 00:00:00 GMT');
    expect(head.Metadata).toMatchObject({ plain: 'value', 'with-dash': expect.stringMatching(/^a b {1,2}c$/) });
    expect(Object.keys(head.Metadata ?? {}).filter((name) => name.startsWith('sx1'))).toEqual([]);
    const { answer } = await get('metadata', { ResponseContentType: 'text/plain', ResponseCacheControl: 'no-store' });
    expect([answer.ContentType, answer.CacheControl]).toEqual(['text/plain', 'no-store']);
  });

  it('takes 1,760 bytes of user metadata, names included, and no more', async () => {
    const entry = (total: number) => ({ Metadata: { a: 'v'.repeat(total - 'x-amz-meta-a'.length) } });
    await put('full', Buffer.from('x'), entry(1760));
    const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'full' }));
    expect(head.Metadata?.a?.length).toBe(1748);
    expect(await failure(put('overfull', Buffer.from('x'), entry(1761)))).toEqual([400, 'MetadataTooLarge']);
    expect(await failure(client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'overfull' })))).toEqual([
      404,
      'NotFound',
    ]);
  });

  it('refuses metadata in the gateway’s own name', async () => {
    expect(await failure(put('planted', Buffer.from('x'), { Metadata: { sx1: 'AQEA' } }))).toEqual([
      400,
      'InvalidArgument',
    ]);
  });

  it.each(AWKWARD_KEYS)('holds the key %j in every operation', async (Key) => {
    const sent = Buffer.from(`content of ${Key}`);
    await put(Key, sent);
    expect((await get(Key)).body).toEqual(sent);
    const list = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, EncodingType: 'url' }));
    const names = list.Contents?.map((entry) => decodeURIComponent(String(entry.Key).replaceAll('+', ' ')));
    const listed = listedAs(Key, stand.store?.name);
    expect(names).toContain(listed);
    if (!listed.includes(UNWRITABLE)) expect((await get(listed)).body).toEqual(sent);
    const url = await getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key }));
    expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(sent);
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
    expect(await failure(get(Key))).toEqual([404, 'NoSuchKey']);
  });

  it.each(['folder/', 'a//b', '../up', 'dir/../x', './here', 'dot/./dot', `${'n'.repeat(256)}/x`])(
    'the key %j works where the store takes it, else says so and stores nothing',
    async (Key) => {
      const sent = Buffer.from('odd');
      const refused = refusedBy(Key, stand.store?.name);
      if (refused === undefined) {
        await put(Key, sent);
        expect((await get(Key)).body).toEqual(sent);
        await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
      } else {
        expect(await failure(put(Key, sent))).toEqual([400, refused]);
        expect((await failure(get(Key)))[0]).toBeGreaterThanOrEqual(400);
      }
    },
  );

  it('refuses a key of 1,025 bytes', async () => {
    expect(await failure(put('k'.repeat(1025), Buffer.from('x')))).toEqual([400, 'KeyTooLongError']);
  });

  it.each(CHECKSUM_ALGORITHMS)('returns the %s that came with the upload, and of a copy', async (ChecksumAlgorithm) => {
    const sent = payload(300_000, 11);
    const digest = await startDigest(ChecksumAlgorithm);
    digest.update(sent);
    const expected = digest.digest().toString('base64');
    const field = `Checksum${ChecksumAlgorithm}` as const;
    const Key = `checksum/${ChecksumAlgorithm}`;
    // The SDK computes each but MD5, which it takes from its caller alone: of a stream, in a trailer.
    const asked = ChecksumAlgorithm === 'MD5' ? { ChecksumMD5: expected } : { ChecksumAlgorithm };
    await put(`${Key}-streamed`, Readable.from(inPieces(sent, 50_000)), { ...asked, ContentLength: sent.length });
    expect((await put(Key, sent, asked))[field]).toBe(expected);
    for (const name of [Key, `${Key}-streamed`]) {
      const { answer, body } = await get(name, { ChecksumMode: 'ENABLED' });
      expect([answer[field], sha256(body)]).toEqual([expected, sha256(sent)]);
    }
    const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key, ChecksumMode: 'ENABLED' }));
    expect([head[field], head.ChecksumType]).toEqual([expected, 'FULL_OBJECT']);
    const ObjectAttributes = ['Checksum' as const];
    const attributes = await client.send(new GetObjectAttributesCommand({ Bucket: BUCKET, Key, ObjectAttributes }));
    expect(attributes.Checksum).toEqual({ [field]: expected, ChecksumType: 'FULL_OBJECT' });
    const copy = { Bucket: BUCKET, CopySource: `${BUCKET}/checksum/none`, Key: `${Key}-copied` };
    await put('checksum/none', sent);
    const copied = await client.send(new CopyObjectCommand({ ...copy, ChecksumAlgorithm }));
    expect(copied.CopyObjectResult?.[field]).toBe(expected);
  });

  it.each(CHECKSUM_ALGORITHMS)('refuses a wrong %s and stores nothing', async (name) => {
    const field = `Checksum${name}`;
    const value = Buffer.alloc(CHECKSUMS[name].bytes, 1).toString('base64');
    const [status, code] = await failure(put(`wrong/${name}`, Buffer.from('hello'), { [field]: value }));
    expect([status, code]).toEqual([400, 'BadDigest']);
    expect(await failure(get(`wrong/${name}`))).toEqual([404, 'NoSuchKey']);
  });

  it.each([200_000, 20 * MIB])('leaves what lay there where %d bytes break off at their end', async (bytes) => {
    const before = payload(bytes, 12);
    await put('kept', before);
    const ChecksumSHA256 = Buffer.alloc(32, 1).toString('base64');
    expect(await failure(put('kept', payload(bytes, 13), { ChecksumSHA256 }))).toEqual([400, 'BadDigest']);
    expect(sha256((await get('kept')).body)).toBe(sha256(before));
  });

  it('deletes a thousand keys of 1,024 bytes, of which nearly all are written as references', async () => {
    const segment = '&'.repeat(203);
    const Objects = Array.from({ length: 1000 }, (_, at) => ({
      Key: `${String(at).padStart(4, '0')}${`/${segment}`.repeat(5)}`,
    }));
    const there = Objects[500]?.Key as string;
    expect(Buffer.byteLength(there)).toBe(1024);
    await put(there, Buffer.from('x'));
    const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } }));
    expect([Deleted?.length, Errors]).toEqual([1000, undefined]);
    expect(await failure(get(there))).toEqual([404, 'NoSuchKey']);
  });

  it('deletes one and many', async () => {
    for (const name of ['1', '2', '3']) await put(`delete/${name}`, Buffer.from(name));
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'delete/1' }));
    const many = await client.send(
      new DeleteObjectsCommand({
        Bucket: BUCKET,
        Delete: { Objects: [{ Key: 'delete/2' }, { Key: 'delete/3' }, { Key: 'delete/none' }] },
      }),
    );
    expect(many.Deleted?.map(({ Key }) => Key).sort()).toEqual(['delete/2', 'delete/3', 'delete/none']);
    const left = await client.send(new ListObjectsV2Command({ Bucket: BUCKET, Prefix: 'delete/' }));
    expect(left.KeyCount).toBe(0);
  });

  it('lists in pages, with delimiters and both forms', async () => {
    for (const name of ['a/1', 'a/2', 'b/1', 'c', 'd']) await put(`list/${name}`, Buffer.alloc(10));
    const page = { Bucket: BUCKET, Prefix: 'list/', Delimiter: '/' };
    const keys: string[] = [];
    let ContinuationToken: string | undefined;
    do {
      const answer = await client.send(new ListObjectsV2Command({ ...page, MaxKeys: 2, ContinuationToken }));
      keys.push(
        ...(answer.CommonPrefixes ?? []).map(({ Prefix }) => String(Prefix)),
        ...(answer.Contents ?? []).map(({ Key }) => String(Key)),
      );
      ContinuationToken = answer.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(keys.sort()).toEqual(['list/a/', 'list/b/', 'list/c', 'list/d']);
    const first = await client.send(new ListObjectsCommand({ Bucket: BUCKET, Prefix: 'list/', Marker: 'list/a/2' }));
    expect(first.Contents?.map(({ Key, Size }) => [Key, Size])).toEqual([
      ['list/b/1', 10],
      ['list/c', 10],
      ['list/d', 10],
    ]);
    const versions = await client.send(new ListObjectVersionsCommand({ Bucket: BUCKET, Prefix: 'list/' }));
    expect(versions.Versions?.map(({ Key, Size, IsLatest }) => [Key, Size, IsLatest])).toEqual(
      ['a/1', 'a/2', 'b/1', 'c', 'd'].map((name) => [`list/${name}`, 10, true]),
    );
  });

  it('presigns, and an expired URL is refused', async () => {
    await put('presigned', Buffer.from('signed'));
    // Both were signed a minute ago: the one is good for an hour, the other was good for a second less than the minute.
    const signingDate = new Date(Date.now() - 60_000);
    const signed = (expiresIn: number) =>
      getSignedUrl(client, new GetObjectCommand({ Bucket: BUCKET, Key: 'presigned' }), { expiresIn, signingDate });
    expect(await (await fetch(await signed(3600))).text()).toBe('signed');
    const late = await fetch(await signed(59));
    expect([late.status, /<Code>(.*?)<\/Code>/.exec(await late.text())?.[1]]).toEqual([403, 'AccessDenied']);
  });

  it('answers for buckets: own ones only', async () => {
    const { Buckets } = await client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toContain(BUCKET);
    await client.send(new HeadBucketCommand({ Bucket: BUCKET }));
    expect(
      (await client.send(new GetBucketLocationCommand({ Bucket: BUCKET }))).LocationConstraint ?? 'us-east-1',
    ).toBe('us-east-1');
    expect(await failure(client.send(new CreateBucketCommand({ Bucket: 'other-tenants' })))).toEqual([
      403,
      'AccessDenied',
    ]);
    expect(await failure(client.send(new ListObjectsV2Command({ Bucket: 'other-tenants' })))).toEqual([
      403,
      'AccessDenied',
    ]);
    expect(await failure(client.send(new DeleteBucketCommand({ Bucket: BUCKET })))).toEqual([409, 'BucketNotEmpty']);
    await client.send(new CreateBucketCommand({ Bucket: 'acme-temporary' }));
    await client.send(new DeleteBucketCommand({ Bucket: 'acme-temporary' }));
    expect(await failure(client.send(new HeadBucketCommand({ Bucket: 'acme-temporary' })))).toEqual([404, 'NotFound']);
    expect(await failure(client.send(new ListObjectsV2Command({ Bucket: 'acme-temporary' })))).toEqual([
      404,
      'NoSuchBucket',
    ]);
  });

  it('forwards tags, re-signed', async () => {
    await put('tagged', Buffer.from('x'), { Tagging: 'a=1' });
    await client.send(
      new PutObjectTaggingCommand({ Bucket: BUCKET, Key: 'tagged', Tagging: { TagSet: [{ Key: 'b', Value: '2' }] } }),
    );
    const { TagSet } = await client.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key: 'tagged' }));
    expect(TagSet).toEqual([{ Key: 'b', Value: '2' }]);
    expect((await get('tagged')).body.toString()).toBe('x');
  });

  it('does not find what is not there', async () => {
    expect(await failure(get('absent'))).toEqual([404, 'NoSuchKey']);
    expect(await failure(client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'absent' })))).toEqual([
      404,
      'NotFound',
    ]);
  });
});
