import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createPresignedPost, type PresignedPost, type PresignedPostOptions } from '@aws-sdk/s3-presigned-post';
import { Client as MinioClient } from 'minio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readXml } from '../../../src/wire/xml/xml.ts';
import { FORM_TYPE, formBody, signedFields } from '../../dialects/s3/front/forms.ts';
import { RawClient } from '../../server/raw-client.ts';
import { payload } from '../../support/payload.ts';
import { ALL_STANDS } from '../../support/servers/every-store.ts';
import { peakMemoryMib, runProgram, TENANT } from '../../support/servers/gateway.ts';
import { awsEnvironment, type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { backendClient, expectAbsent, expectServed, onceClient, read } from '../../support/sight.ts';
import { tool } from '../../support/tools.ts';

const MIB = 1024 * 1024;
const BUCKET = 'acme-forms';
const FILE_NAME = '$'.concat('{filename}');

/** As a browser sends it. */
async function post(form: PresignedPost, file: Buffer, fileName = 'photo.jpg') {
  const data = new FormData();
  for (const [name, value] of Object.entries(form.fields)) data.append(name, value);
  data.append('file', new File([new Uint8Array(file)], fileName, { type: 'image/jpeg' }));
  const answer = await fetch(form.url, { method: 'POST', body: data, redirect: 'manual' });
  const body = await answer.text();
  const root = body === '' ? undefined : readXml(Buffer.from(body));
  const texts = Object.fromEntries((root?.children ?? []).map(({ name, text }) => [name, text]));
  return { status: answer.status, headers: answer.headers, root: root?.name, texts };
}

type Asked = Omit<PresignedPostOptions, 'Bucket'>;

describe.each(ALL_STANDS)('forms over %s', (_name, start) => {
  let stand: Stand;
  let client: S3Client;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealgate-forms-'));
    stand = await start();
    client = onceClient(stand.gateway);
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });

  afterAll(async () => {
    client?.destroy();
    await stand?.stop();
    await rm(folder, { recursive: true });
  });

  const sign = (asked: Asked) => createPresignedPost(client, { Bucket: BUCKET, ...asked });

  it.each([0, 1, 65_536, 65_537, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 20 * MIB + 3])(
    'of AWS’s signer store %d bytes',
    async (bytes) => {
      const sent = payload(bytes, bytes + 9);
      const Key = `size/${bytes}`;
      const answer = await post(await sign({ Key, Conditions: [['content-length-range', bytes, bytes]] }), sent);
      expect([answer.status, answer.root]).toEqual([204, undefined]);
      expect(answer.headers.get('location')).toBe(`${stand.gateway.endpoint}/${BUCKET}/${Key}`);
      await expectServed(client, BUCKET, Key, sent);
      const head = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
      expect([head.ETag, head.ContentType]).toEqual([answer.headers.get('etag'), 'binary/octet-stream']);
    },
  );

  it('keep what is stored beside the bytes', async () => {
    const Fields = {
      'Content-Type': 'image/png',
      'Cache-Control': 'max-age=60',
      'x-amz-meta-uuid': 'grün 14365123651274',
      'x-amz-meta-empty': '',
      tagging: '<Tagging><TagSet><Tag><Key>colour</Key><Value>blue + a=b</Value></Tag></TagSet></Tagging>',
      'x-amz-checksum-crc32': 'NhCmhg==',
      'x-amz-storage-class': 'STANDARD',
    };
    const answer = await post(await sign({ Key: 'beside', Fields }), Buffer.from('hello'));
    expect(answer.texts).toEqual({});
    expect([answer.status, answer.headers.get('x-amz-checksum-crc32')]).toEqual([204, 'NhCmhg==']);
    const got = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'beside', ChecksumMode: 'ENABLED' }));
    expect(got).toMatchObject({ ContentType: 'image/png', CacheControl: 'max-age=60', ChecksumCRC32: 'NhCmhg==' });
    expect(Buffer.from(got.Metadata?.uuid ?? '', 'latin1').toString()).toBe('grün 14365123651274');
    expect(await got.Body?.transformToString()).toBe('hello');
    const { TagSet } = await client.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key: 'beside' }));
    expect(TagSet).toEqual([{ Key: 'colour', Value: 'blue + a=b' }]);
  });

  it('name their object by the user’s file', async () => {
    const form = await sign({ Key: `user/${FILE_NAME}` });
    expect((await post(form, Buffer.from('x'), 'grün & 中.jpg')).status).toBe(204);
    expect((await read(client, { Bucket: BUCKET, Key: 'user/grün & 中.jpg' })).toString()).toBe('x');
  });

  it.each(['200', '201', '204'])('are answered with %s', async (status) => {
    const Key = `status/${status}`;
    const answer = await post(await sign({ Key, Fields: { success_action_status: status } }), Buffer.from('x'));
    expect(String(answer.status)).toBe(status);
    const { ETag } = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
    if (status === '201') {
      expect([answer.root, answer.texts]).toEqual([
        'PostResponse',
        { Location: `${stand.gateway.endpoint}/${BUCKET}/${Key}`, Bucket: BUCKET, Key, ETag },
      ]);
    } else expect(answer.root).toBeUndefined();
  });

  it('go on to another page', async () => {
    const Fields = { success_action_redirect: 'https://example.com/done?a=1' };
    const answer = await post(await sign({ Key: 'on', Fields }), Buffer.from('x'));
    const { ETag = '' } = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'on' }));
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      `https://example.com/done?a=1&bucket=${BUCKET}&key=on&etag=${encodeURIComponent(ETag)}`,
    ]);
  });

  it.each<[string, Asked, (form: PresignedPost) => PresignedPost, number, string]>([
    ['another key', { Key: 'denied/a' }, (form) => over(form, { key: 'denied/b' }), 403, 'AccessDenied'],
    ['another acl', { Key: 'denied/a' }, (form) => over(form, { acl: 'public-read' }), 403, 'AccessDenied'],
    [
      'a forged signature',
      { Key: 'denied/a' },
      (form) => over(form, { 'X-Amz-Signature': 'a'.repeat(64) }),
      403,
      'SignatureDoesNotMatch',
    ],
    ['an expired policy', { Key: 'denied/a', Expires: -1 }, (form) => form, 403, 'AccessDenied'],
    [
      'too many bytes',
      { Key: 'denied/a', Conditions: [['content-length-range', 0, 2]] },
      (form) => form,
      400,
      'EntityTooLarge',
    ],
    [
      'too few bytes',
      { Key: 'denied/a', Conditions: [['content-length-range', 4, 9]] },
      (form) => form,
      400,
      'EntityTooSmall',
    ],
    [
      'a wrong checksum',
      { Key: 'denied/a', Fields: { 'x-amz-checksum-crc32': 'AAAAAA==' } },
      (form) => form,
      400,
      'BadDigest',
    ],
    ['no signature', { Key: 'denied/a' }, ({ url }) => ({ url, fields: { key: 'denied/a' } }), 403, 'AccessDenied'],
    [
      'another bucket',
      { Key: 'denied/a' },
      ({ url, fields }) => ({ url: url.replace(BUCKET, 'acme-other'), fields }),
      403,
      'AccessDenied',
    ],
    ['a bucket of nobody', { Key: 'denied/a' }, (form) => form, 404, 'NoSuchBucket'],
  ])('are refused with %s, and nothing is stored', async (name, asked, forge, status, code) => {
    const Bucket = name === 'a bucket of nobody' ? 'acme-absent' : BUCKET;
    const form = forge(await createPresignedPost(client, { Bucket, ...asked }));
    const answer = await post(form, Buffer.from('abc'));
    expect([answer.status, answer.root, answer.texts.Code]).toEqual([status, 'Error', code]);
    await expectAbsent(client, BUCKET, 'denied/a');
    await expectAbsent(client, BUCKET, 'denied/b');
  });

  it('of a stranger are refused', async () => {
    const stranger = onceClient(stand.gateway, { accessKeyId: 'AKIDNOBODY' });
    const answer = await post(
      await createPresignedPost(stranger, { Bucket: BUCKET, Key: 'stranger' }),
      Buffer.from('x'),
    );
    expect([answer.status, answer.texts.Code]).toEqual([403, 'InvalidAccessKeyId']);
    const foreign = await createPresignedPost(client, { Bucket: 'of-another-tenant', Key: 'x' });
    expect((await post(foreign, Buffer.from('x'))).texts.Code).toBe('AccessDenied');
  });

  it('of minio-js are taken', async () => {
    const { accessKeyId: accessKey, secretAccessKey: secretKey } = TENANT;
    const minio = new MinioClient({
      endPoint: '127.0.0.1',
      port: stand.gateway.port,
      useSSL: false,
      accessKey,
      secretKey,
    });
    const policy = minio.newPostPolicy();
    policy.setBucket(BUCKET);
    policy.setKeyStartsWith('minio-js/');
    policy.setExpires(new Date(Date.now() + 60_000));
    policy.setContentType('text/plain');
    policy.setContentLengthRange(1, 10);
    policy.setUserMetaData({ from: 'minio-js' });
    const { postURL, formData } = await minio.presignedPostPolicy(policy);
    const form = { url: postURL, fields: { ...(formData as Record<string, string>), key: 'minio-js/a' } };
    expect((await post(form, Buffer.from('minio'))).status).toBe(204);
    const { metaData, size } = await minio.statObject(BUCKET, 'minio-js/a');
    expect([size, metaData]).toMatchObject([5, { from: 'minio-js', 'content-type': 'text/plain' }]);
    expect((await post(form, Buffer.from('too many bytes'))).texts.Code).toBe('EntityTooLarge');
  });

  it.each([[], ['-H', 'Transfer-Encoding: chunked'], ['-H', 'Expect: 100-continue'], ['--http1.0']])(
    'of curl %s %s are taken',
    async (...framing) => {
      const sent = payload(9 * MIB + 1, 21);
      await writeFile(join(folder, 'a;b c.bin'), sent);
      const form = await sign({ Key: `curl/${FILE_NAME}`, Fields: { success_action_status: '201' } });
      const fields = Object.entries(form.fields).flatMap(([name, value]) => ['--form-string', `${name}=${value}`]);
      const { stdout, stderr } = await runProgram(
        tool('curl'),
        ['-s', '-S', '-w', '%{http_code}', ...framing, ...fields, '-F', 'file=@"a;b c.bin"', form.url],
        { cwd: folder },
      );
      expect([stderr, stdout]).toEqual(['', expect.stringMatching(/<Key>curl\/a;b c\.bin<\/Key>.*201$/)]);
      await expectServed(client, BUCKET, 'curl/a;b c.bin', sent);
      await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'curl/a;b c.bin' }));
    },
  );

  async function boto3() {
    const script = join(import.meta.dirname, 'boto3_forms.py');
    const args = [script, stand.gateway.endpoint, BUCKET];
    const { code, stdout, stderr } = await runProgram(tool('python'), args, { env: awsEnvironment() });
    expect([code, stderr]).toEqual([0, '']);
    return JSON.parse(stdout);
  }

  it('of boto3 are taken', async () => {
    const { v4, large, head } = await boto3();
    expect([v4.status, /<Key>(.*)<\/Key>/.exec(v4.body)?.[1]]).toEqual([201, 'boto3/grün.txt']);
    expect(head).toEqual([8, 'text/plain', { from: 'boto3' }]);
    expect([large.status, large.body]).toEqual([400, expect.stringContaining('<Code>EntityTooLarge</Code>')]);
  });

  it('of Signature Version 2 are taken where the tenant takes it', async () => {
    const { v2 } = await boto3();
    expect([v2.status, v2.body]).toEqual([400, expect.stringContaining('<Code>InvalidRequest</Code>')]);
    await expectAbsent(client, BUCKET, 'boto3/v2');
    expect((await stand.gateway.command(['tenant', 'set', TENANT.name, '--sigv2', 'on'])).code).toBe(0);
    await expect.poll(async () => (await boto3()).v2.status).toBe(204);
    await expectServed(client, BUCKET, 'boto3/v2', Buffer.from('by version 2'));
  });

  it('left no secret in the log', () => {
    expect(stand.gateway.output()).not.toContain(TENANT.secretAccessKey);
    expect(stand.gateway.output()).not.toMatch(/x-amz-signature/i);
    expect(stand.gateway.output()).toContain('PostObject');
  });
});

function over({ url, fields }: PresignedPost, changed: Record<string, string>): PresignedPost {
  return { url, fields: { ...fields, ...changed } };
}

describe('the same form', () => {
  let stand: Awaited<ReturnType<typeof standOnMinio>>;
  let gateway: S3Client;
  let minio: S3Client;

  beforeAll(async () => {
    stand = await standOnMinio();
    gateway = onceClient(stand.gateway);
    minio = backendClient(stand.minio);
    for (const [client, Bucket] of [
      [gateway, BUCKET],
      [minio, 'direct'],
    ] as const) {
      await client.send(new CreateBucketCommand({ Bucket }));
      await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    }
  });

  afterAll(async () => {
    for (const each of [gateway, minio]) each?.destroy();
    await stand?.stop();
  });

  /** What an answer tells, without what is each server's own. */
  function told(answer: Awaited<ReturnType<typeof post>>, Bucket: string) {
    const { Code, Location, Key } = answer.texts;
    const placed = (text: string | null | undefined) => {
      if (text === null || text === undefined) return text;
      const { pathname, searchParams } = new URL(text.replace(Bucket, 'B'));
      return [pathname, [...searchParams.keys()].sort(), searchParams.get('bucket'), searchParams.get('key')];
    };
    return {
      status: answer.status,
      root: answer.root,
      answer: Code ?? [Key, placed(Location)],
      location: placed(answer.headers.get('location')),
      versioned: answer.headers.has('x-amz-version-id'),
      etag: answer.headers.has('etag'),
    };
  }

  async function bothWays(asked: Asked, file: Buffer, forge: (form: PresignedPost) => PresignedPost = (form) => form) {
    const ways = [
      [gateway, BUCKET],
      [minio, 'direct'],
    ] as const;
    return Promise.all(
      ways.map(async ([client, Bucket]) =>
        told(await post(forge(await createPresignedPost(client, { Bucket, ...asked })), file), Bucket),
      ),
    );
  }

  it.each<[string, Asked]>([
    ['a plain one', { Key: 'a b/ü' }],
    ['200', { Key: 'a', Fields: { success_action_status: '200' } }],
    ['201', { Key: 'a', Fields: { success_action_status: '201' } }],
    ['another status', { Key: 'a', Fields: { success_action_status: '404' } }],
    ['a redirect', { Key: 'a', Fields: { success_action_redirect: 'https://example.com/' } }],
    ['a variable', { Key: `v/${FILE_NAME}`, Fields: { success_action_status: '201' } }],
    ['a range', { Key: 'a', Conditions: [['content-length-range', 3, 3]] }],
    ['too small', { Key: 'a', Conditions: [['content-length-range', 4, 5]] }],
    ['too large', { Key: 'a', Conditions: [['content-length-range', 1, 2]] }],
    ['expired', { Key: 'a', Expires: -10 }],
    ['another value', { Key: 'a', Fields: { acl: 'private' }, Conditions: [['eq', '$acl', 'public-read']] }],
    ['a value that does not begin so', { Key: 'a', Conditions: [['starts-with', '$key', 'b']] }],
    ['a checksum', { Key: 'a', Fields: { 'x-amz-checksum-crc32': 'NSRBwg==' } }],
  ])('is answered as by MinIO: %s', async (_name, asked) => {
    const [through, direct] = await bothWays(asked, Buffer.from('abc'));
    expect(through).toEqual(direct);
  });

  it('with a wrong checksum is answered as by MinIO, but with the code of S3', async () => {
    const asked = { Key: 'a', Fields: { 'x-amz-checksum-crc32': 'AAAAAA==' } };
    const [through, direct] = await bothWays(asked, Buffer.from('abc'));
    expect(direct?.answer).toBe('XAmzContentChecksumMismatch');
    expect(through).toEqual({ ...direct, answer: 'BadDigest' });
  });

  it.each<[string, (form: PresignedPost) => PresignedPost]>([
    ['a forged key', (form) => over(form, { key: 'b' })],
    ['a field more', (form) => over(form, { 'x-amz-meta-a': 'b' })],
    ['an ignored field more', (form) => over(form, { 'x-ignore-a': 'b' })],
    ['a forged signature', (form) => over(form, { 'X-Amz-Signature': 'a'.repeat(64) })],
    ['a forged policy', (form) => over(form, { Policy: form.fields.Policy?.replace(/^..../, 'e30K') ?? '' })],
  ])('is answered as by MinIO: %s', async (_name, forge) => {
    const [through, direct] = await bothWays({ Key: 'a' }, Buffer.from('abc'), forge);
    expect(through).toEqual(direct);
  });

  /** Where MinIO is lax or has codes of its own, and S3's are given here. */
  it.each<
    [string, Asked, (form: PresignedPost) => PresignedPost, readonly [number, string?], readonly [number, string?]]
  >([
    [
      'a missing field',
      { Key: 'a', Conditions: [['starts-with', '$Filename', '']] },
      (form) => form,
      [403, 'AccessDenied'],
      [204],
    ],
    [
      'no key',
      { Key: 'a' },
      ({ url, fields: { key, ...fields } }) => ({ url, fields }),
      [400, 'InvalidArgument'],
      [400, 'MalformedPOSTRequest'],
    ],
    [
      'an unfit condition',
      { Key: 'a', Conditions: [['eq', 'acl', 'b']] as never },
      (form) => form,
      [400, 'InvalidPolicyDocument'],
      [403, 'PostPolicyInvalidKeyName'],
    ],
  ])('is answered as by S3: %s', async (_name, asked, forge, expected, byMinio) => {
    const [through, direct] = await bothWays(asked, Buffer.from('abc'), forge);
    const seen = (told?: { status: number; answer: unknown }) => [
      told?.status,
      ...(typeof told?.answer === 'string' ? [told.answer] : []),
    ];
    expect([seen(through), seen(direct)]).toEqual([expected, byMinio]);
  });
});

describe('a form that is not whole', () => {
  let stand: Awaited<ReturnType<typeof standOnMinio>>;
  let client: S3Client;
  let store: S3Client;
  const KEPT = 'kept';
  const before = Buffer.from('what lay there before the form');

  beforeAll(async () => {
    stand = await standOnMinio();
    client = onceClient(stand.gateway);
    store = backendClient(stand.minio);
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: KEPT, Body: before }));
  });

  afterAll(async () => {
    for (const each of [client, store]) each?.destroy();
    await stand?.stop();
  });

  function bodyOf(key: string, file: Buffer, range: readonly [number, number] = [0, 1024 * MIB]): Buffer {
    const { accessKeyId, secretAccessKey } = TENANT;
    const conditions = [{ bucket: BUCKET }, { key }, ['content-length-range', ...range]];
    const as = { accessKeyId, secretAccessKey, date: new Date() };
    return formBody([['key', key], ...signedFields(conditions, { as })], file);
  }

  /** Status and code of the answer to these bytes, of which so many are announced. */
  async function answerTo(body: Buffer, options: { readonly announced?: number; readonly chunked?: boolean } = {}) {
    const { announced = body.length, chunked = false } = options;
    const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${announced}`;
    const connection = await RawClient.open(stand.gateway.port);
    connection.send(
      `POST /${BUCKET} HTTP/1.1\r\nHost: 127.0.0.1:${stand.gateway.port}\r\nContent-Type: ${FORM_TYPE}\r\n` +
        `Connection: close\r\n${framing}\r\n\r\n`,
    );
    if (chunked) connection.send(`${body.length.toString(16)}\r\n`);
    connection.send(body);
    if (chunked) connection.send('\r\n0\r\n\r\n');
    else if (announced > body.length) connection.finish();
    const text = await connection.until((seen) => /<\/Error>$|\r\n\r\n$/.test(seen));
    connection.socket.destroy();
    return [Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]), /<Code>([^<]*)/.exec(text)?.[1] ?? ''] as const;
  }

  async function expectUntouched(absent: string): Promise<void> {
    await expectAbsent(client, BUCKET, absent);
    await expectServed(client, BUCKET, KEPT, before);
    expect((await store.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))).Uploads ?? []).toEqual([]);
  }

  it('is one that is answered when it is', async () => {
    const file = payload(9 * MIB, 3);
    expect(await answerTo(bodyOf('whole', file))).toEqual([204, '']);
    await expectServed(client, BUCKET, 'whole', file);
  });

  it('of half a gigabyte is held in bounded memory', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sealgate-form-'));
    await writeFile(join(folder, 'large'), '');
    await truncate(join(folder, 'large'), 512 * MIB);
    const form = await createPresignedPost(client, { Bucket: BUCKET, Key: 'large' });
    const fields = Object.entries(form.fields).flatMap(([name, value]) => ['--form-string', `${name}=${value}`]);
    const args = ['-s', '-S', '-w', '%{http_code}', ...fields, '-F', 'file=@large', form.url];
    const { stdout, stderr } = await runProgram(tool('curl'), args, { cwd: folder });
    expect([stderr, stdout]).toEqual(['', '204']);
    expect(peakMemoryMib(stand.gateway.pid())).toBeLessThan(300);
    expect((await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: 'large' }))).ContentLength).toBe(512 * MIB);
    await rm(folder, { recursive: true });
  });

  /** One that is stored in one piece, and one that has become parts in the backend by then. */
  describe.each([5000, 20 * MIB])('with a file of %d bytes', (bytes) => {
    it.each<[string, (body: Buffer, fileAt: number) => Buffer]>([
      ['ends within its file', (body) => body.subarray(0, body.length - 1000)],
      ['ends where its file does', (body) => body.subarray(0, body.lastIndexOf('\r\n--'))],
      ['ends within its last boundary', (body) => body.subarray(0, body.length - 5)],
      [
        'ends without the two hyphens',
        (body) => Buffer.concat([body.subarray(0, body.length - 4), Buffer.from('\r\n')]),
      ],
      ['goes on behind its end', (body) => Buffer.concat([body, Buffer.from('more')])],
      [
        'has another last boundary',
        (body) => Buffer.from(body.toString('latin1').replace(/boundary--\r\n$/, 'boundarx--\r\n'), 'latin1'),
      ],
    ])('%s: nothing is stored', async (_name, broken) => {
      for (const chunked of [false, true]) {
        const key = `broken/${bytes}`;
        const body = bodyOf(key, payload(bytes, 5));
        expect(await answerTo(broken(body, 0), { chunked })).toEqual([400, 'MalformedPOSTRequest']);
        const over = bodyOf(KEPT, payload(bytes, 6));
        expect((await answerTo(broken(over, 0), { chunked }))[0]).toBe(400);
        await expectUntouched(key);
      }
    });

    it('is cut off: nothing is stored', async () => {
      const body = bodyOf(KEPT, payload(bytes, 7));
      expect(await answerTo(body.subarray(0, body.length - 100), { announced: body.length })).toEqual([
        400,
        'IncompleteBody',
      ]);
      expect(await answerTo(body.subarray(0, body.length - 1), { announced: body.length })).toEqual([
        400,
        'IncompleteBody',
      ]);
      await expectUntouched('cut');
    });

    it('is too long or too short for its policy: nothing is stored', async () => {
      expect(await answerTo(bodyOf(KEPT, payload(bytes, 8), [0, bytes - 1]))).toEqual([400, 'EntityTooLarge']);
      expect(await answerTo(bodyOf(KEPT, payload(bytes, 8), [bytes + 1, bytes * 2]))).toEqual([400, 'EntityTooSmall']);
      await expectUntouched('long');
    });
  });
});
