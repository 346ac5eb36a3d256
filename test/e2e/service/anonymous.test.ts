import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORM_TYPE, formBody } from '../../dialects/s3/front/forms.ts';
import { eventually } from '../../keys/eventually.ts';
import { RawClient } from '../../server/raw-client.ts';
import { Page } from '../../support/page.ts';
import { payload, sha256 } from '../../support/payload.ts';
import { runProgram, TENANT } from '../../support/servers/gateway.ts';
import { type MinioAdmin, minioAdmin } from '../../support/servers/minio-admin.ts';
import { awsEnvironment, standEmbedded, standOnOwnServers } from '../../support/servers/stand.ts';
import { backendClient, expectAbsent, onceClient, read } from '../../support/sight.ts';
import { tool } from '../../support/tools.ts';

/**
 * What nobody signed reaches the backend unsigned, and only for buckets whose policy says `anonymous`. The backend's
 * bucket policy decides; what it yields is opened with the key of the tenant that the bucket belongs to.
 */

const PUBLIC = 'acme-public';
/** Public at the backend, and nothing said at the gateway. */
const CLOSED = 'acme-closed';
/** The other way round. */
const SILENT = 'acme-silent';
const BODY = payload(300_000, 11);
const REFUSED = [403, 'AccessDenied'];

let stand: Awaited<ReturnType<typeof standOnOwnServers>>;
let admin: MinioAdmin;
let owner: S3Client;
let store: S3Client;

async function setBuckets(...buckets: string[]): Promise<void> {
  const args = ['tenant', 'set', TENANT.name, ...buckets.flatMap((bucket) => ['--bucket', bucket])];
  expect(await stand.gateway.command(args)).toMatchObject({ code: 0 });
}

beforeAll(async () => {
  stand = await standOnOwnServers();
  admin = await minioAdmin(stand.minio);
  owner = onceClient(stand.gateway);
  store = backendClient(stand.minio);
  await setBuckets('acme-*', `${PUBLIC}:anonymous`, `${SILENT}:anonymous`);
  for (const Bucket of [PUBLIC, CLOSED, SILENT]) {
    await owner.send(new CreateBucketCommand({ Bucket }));
    for (const Key of ['read/object', 'secret/object']) {
      const ContentType = 'text/x-note';
      await owner.send(new PutObjectCommand({ Bucket, Key, Body: BODY, ContentType, Metadata: { note: 'kept' } }));
    }
  }
  for (const bucket of [PUBLIC, CLOSED]) {
    await admin.setBucketPolicy(bucket, [
      { actions: ['s3:GetObject', 's3:GetObjectTagging'], on: [`${bucket}/read/*`] },
      { actions: ['s3:PutObject'], on: [`${bucket}/drop/*`] },
      { actions: ['s3:ListBucket'], on: [bucket] },
    ]);
  }
  // Told to the gateway within a second.
  await eventually(5000, async () => (await ask(`/${PUBLIC}/read/object`, { method: 'HEAD' })).status === 200);
});

afterAll(async () => {
  for (const client of [owner, store]) client?.destroy();
  await admin?.close();
  await stand?.stop();
});

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

async function ask(target: string, { method = 'GET', headers = {}, body }: Asked = {}): Promise<Response> {
  return fetch(stand.gateway.endpoint + target, { method, headers, ...(body !== undefined && { body }) });
}

/** Status and code. */
async function said(target: string, asked: Asked = {}): Promise<[number, string]> {
  const answer = await ask(target, asked);
  const text = await answer.text();
  return [answer.status, /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? text];
}

describe('a request that nobody signed', () => {
  it('reads plaintext where gateway and backend let it', async () => {
    const answer = await ask(`/${PUBLIC}/read/object`);
    expect(answer.status).toBe(200);
    expect(sha256(Buffer.from(await answer.arrayBuffer()))).toBe(sha256(BODY));
    expect(answer.headers.get('content-type')).toBe('text/x-note');
    expect(answer.headers.get('x-amz-meta-note')).toBe('kept');
    expect(answer.headers.get('x-amz-meta-sx1')).toBeNull();
    const stored = await read(store, { Bucket: PUBLIC, Key: 'read/object' });
    expect(stored.includes(BODY.subarray(0, 32))).toBe(false);

    const range = await ask(`/${PUBLIC}/read/object`, { headers: { range: 'bytes=70000-70009' } });
    expect([range.status, range.headers.get('content-range')]).toEqual([206, 'bytes 70000-70009/300000']);
    expect(Buffer.from(await range.arrayBuffer())).toEqual(BODY.subarray(70_000, 70_010));
    const head = await ask(`/${PUBLIC}/read/object`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '300000']);
  });

  it('lists plaintext sizes where the backend lets it', async () => {
    const listing = await (await ask(`/${PUBLIC}?list-type=2&prefix=read/`)).text();
    expect(listing).toContain('<Size>300000</Size>');
    expect(await said(`/${SILENT}?list-type=2`)).toEqual(REFUSED);
  });

  it('is refused what the backend’s bucket policy does not allow, cached or not', async () => {
    await read(owner, { Bucket: PUBLIC, Key: 'secret/object' });
    for (const key of [`${PUBLIC}/secret/object`, `${PUBLIC}/drop/object`, `${SILENT}/read/object`]) {
      expect(await said(`/${key}`)).toEqual(REFUSED);
      expect((await ask(`/${key}`, { method: 'HEAD' })).status).toBe(403);
      expect(await said(`/${key}`, { headers: { range: 'bytes=0-9' } })).toEqual(REFUSED);
    }
    expect(await said(`/${PUBLIC}/read/object`, { method: 'DELETE' })).toEqual(REFUSED);
    expect(await said(`/${PUBLIC}/read/object`, { method: 'PUT', body: 'x' })).toEqual(REFUSED);
    expect(sha256(await read(owner, { Bucket: PUBLIC, Key: 'read/object' }))).toBe(sha256(BODY));
  });

  it('is refused in a bucket whose policy does not say so, whatever the backend’s says', async () => {
    expect((await fetch(`${stand.minio.endpoint}/${CLOSED}/read/object`)).status).toBe(200);
    for (const asked of [{}, { method: 'PUT', body: 'x' }, { method: 'DELETE' }]) {
      for (const target of [`/${CLOSED}/read/object`, `/${CLOSED}/drop/object`, `/${CLOSED}`]) {
        expect(await said(target, asked)).toEqual(REFUSED);
      }
    }
    expect((await ask(`/${CLOSED}/read/object`, { method: 'HEAD' })).status).toBe(403);
    expect(await said(`/${CLOSED}?list-type=2`)).toEqual(REFUSED);
    expect(await said(`/${CLOSED}/read/object?tagging`)).toEqual(REFUSED);
  });

  it('is refused in buckets of nobody, in the same words', async () => {
    const words = async (target: string) => /<Message>(.*)<\/Message>/.exec(await (await ask(target)).text())?.[1];
    const closed = await words(`/${CLOSED}/read/object`);
    expect(closed).toContain('not signed');
    for (const target of ['/nobodys/object', '/sealgate-staging/object', '/', '/acme-absent/object']) {
      expect(await said(target)).toEqual(REFUSED);
      expect(await words(target)).toBe(closed);
    }
  });

  it('goes unsigned on the pass-through lane too', async () => {
    const Tagging = { TagSet: [{ Key: 'colour', Value: 'blue' }] };
    for (const Key of ['read/object', 'secret/object']) {
      await owner.send(new PutObjectTaggingCommand({ Bucket: PUBLIC, Key, Tagging }));
    }
    expect(await (await ask(`/${PUBLIC}/read/object?tagging`)).text()).toContain('<Value>blue</Value>');
    expect(await said(`/${PUBLIC}/secret/object?tagging`)).toEqual(REFUSED);
    expect(await said(`/${PUBLIC}?policy`)).toEqual(REFUSED);
  });

  it.each([
    ['ListBuckets', '/', {}],
    ['CreateBucket', `/${PUBLIC}`, { method: 'PUT' }],
    ['DeleteBucket', `/${PUBLIC}`, { method: 'DELETE' }],
    [
      'CopyObject',
      `/${PUBLIC}/drop/copy`,
      { method: 'PUT', headers: { 'x-amz-copy-source': `/${PUBLIC}/read/object` } },
    ],
    ['CreateMultipartUpload', `/${PUBLIC}/drop/parts?uploads`, { method: 'POST' }],
    ['UploadPart', `/${PUBLIC}/drop/parts?partNumber=1&uploadId=x`, { method: 'PUT', body: 'x' }],
    ['ListMultipartUploads', `/${PUBLIC}?uploads`, {}],
  ] as const)('is never enough for %s', async (_name, target, asked) => {
    expect(await said(target, asked)).toEqual(REFUSED);
  });

  it('cannot choose the answer’s headers', async () => {
    const target = `/${PUBLIC}/read/object?response-content-type=text/html`;
    expect(await said(target)).toEqual([400, 'InvalidRequest']);
    const url = await getSignedUrl(
      owner,
      new GetObjectCommand({ Bucket: PUBLIC, Key: 'read/object', ResponseContentType: 'text/html' }),
    );
    expect((await fetch(url)).headers.get('content-type')).toBe('text/html');
  });

  it('is not what a bad signature becomes', async () => {
    const target = `/${PUBLIC}/read/object`;
    const url = new URL(await getSignedUrl(owner, new GetObjectCommand({ Bucket: PUBLIC, Key: 'read/object' })));
    url.searchParams.set('X-Amz-Signature', '0'.repeat(64));
    expect(await said(url.pathname + url.search)).toEqual([403, 'SignatureDoesNotMatch']);
    expect(await said(target, { headers: { authorization: 'Bearer x' } })).toEqual([400, 'InvalidArgument']);
    expect(await said(`${target}?AWSAccessKeyId=nobody&Signature=x&Expires=4000000000`)).toEqual([
      403,
      'InvalidAccessKeyId',
    ]);
  });

  it('with a session token is none', async () => {
    expect(await said(`/${PUBLIC}/read/object?X-Amz-Security-Token=x`)).toEqual([400, 'InvalidToken']);
  });

  it('stands in the log with the bucket’s tenant and no access key', async () => {
    const line = async (target: string) => {
      const answer = await ask(target, { method: 'HEAD' });
      const id = `"requestId":"${answer.headers.get('x-amz-request-id')}"`;
      const find = () =>
        stand.gateway
          .output()
          .split('\n')
          .find((text) => text.includes(id));
      await expect.poll(find).toBeDefined();
      return JSON.parse(find() as string);
    };
    const [allowed, refused] = [await line(`/${PUBLIC}/read/object`), await line(`/${CLOSED}/read/object`)];
    expect(allowed).toMatchObject({ tenant: TENANT.name, bucket: PUBLIC, status: 200 });
    expect(allowed).not.toHaveProperty('accessKeyId');
    expect(refused).toMatchObject({ bucket: CLOSED, status: 403, errorCode: 'AnonymousRequest' });
    expect(refused).not.toHaveProperty('tenant');
  });
});

describe('an upload that nobody signed', () => {
  const target = `/${PUBLIC}/drop/upload`;
  const at = { Bucket: PUBLIC, Key: 'drop/upload' };
  const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest('base64');

  it.each([0, 5, 300_000, 9_000_000])('of %d bytes is sealed, and the tenant’s own read it', async (bytes) => {
    const body = payload(bytes, 21);
    const headers = { 'content-md5': md5(body), 'content-type': 'text/x-drop', 'x-amz-meta-from': 'anybody' };
    expect(await said(target, { method: 'PUT', body, headers })).toEqual([200, '']);
    expect(sha256(await read(owner, at))).toBe(sha256(body));
    const head = await owner.send(new HeadObjectCommand(at));
    expect(head).toMatchObject({ ContentType: 'text/x-drop', Metadata: { from: 'anybody' } });
    const stored = await store.send(new HeadObjectCommand(at));
    expect(stored.Metadata).toHaveProperty('sx1');
    expect(stored.ContentLength).toBeGreaterThan(bytes);
    expect(await said(target)).toEqual(REFUSED); // may drop, may not read
  });

  it('is one of an unsigned trailer, as SDKs send without credentials', async () => {
    const headers = {
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '5',
      'x-amz-trailer': 'x-amz-checksum-crc32',
      'content-encoding': 'aws-chunked',
    };
    const body = (crc: string) => `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${crc}\r\n\r\n`;
    expect(await said(target, { method: 'PUT', headers, body: body('NhCmhg==') })).toEqual([200, '']);
    expect((await read(owner, at)).toString()).toBe('hello');
    expect(await said(target, { method: 'PUT', headers, body: body('AAAAAA==') })).toEqual([400, 'BadDigest']);
  });

  it.each([
    ['Content-MD5', { 'content-md5': md5(Buffer.from('another')) }, 'BadDigest'],
    ['a payload hash', { 'x-amz-content-sha256': sha256(Buffer.from('another')) }, 'XAmzContentSHA256Mismatch'],
    ['a checksum', { 'x-amz-checksum-crc32': 'AAAAAA==' }, 'BadDigest'],
    ['signed chunks', { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' }, 'InvalidRequest'],
    ['a token', { 'x-amz-security-token': 'x' }, 'InvalidToken'],
  ])('that is not what %s says leaves nothing behind', async (_what, headers, code) => {
    const bad = `${target}-bad`;
    expect(await said(bad, { method: 'PUT', headers, body: payload(200_000, 3) })).toEqual([400, code]);
    await expectAbsent(owner, PUBLIC, 'drop/upload-bad');
  });

  it('that ends too early leaves nothing behind', async () => {
    await using raw = await RawClient.open(stand.gateway.port);
    raw.send(`PUT ${target}-short HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n`);
    raw.send(payload(100_000, 4));
    raw.finish();
    await raw.closed();
    await expectAbsent(owner, PUBLIC, 'drop/upload-short');
  });

  it('may be a form', async () => {
    const form = (key: string) => ({
      method: 'POST',
      headers: { 'content-type': FORM_TYPE },
      body: formBody([['key', key]], Buffer.from('from a form')),
    });
    expect(await said(`/${PUBLIC}`, form('drop/form'))).toEqual([204, '']);
    expect((await read(owner, { Bucket: PUBLIC, Key: 'drop/form' })).toString()).toBe('from a form');
    expect(await said(`/${PUBLIC}`, form('secret/form'))).toEqual(REFUSED);
    expect(await said(`/${CLOSED}`, form('drop/form'))).toEqual(REFUSED);
    await expectAbsent(owner, CLOSED, 'drop/form');
  });
});

describe('tools without credentials', () => {
  it('aws-cli copies with --no-sign-request', async () => {
    const file = join(stand.gateway.folder, 'file');
    await writeFile(file, BODY);
    const aws = async (...args: string[]) => {
      const asked = ['--endpoint-url', stand.gateway.endpoint, '--no-sign-request', 's3', ...args];
      const { code, stdout, stderr } = await runProgram(tool('aws'), asked, { env: awsEnvironment() });
      return { code, text: stdout + stderr };
    };
    expect(await aws('cp', `s3://${PUBLIC}/read/object`, `${file}-down`)).toMatchObject({ code: 0 });
    expect(sha256(await readFile(`${file}-down`))).toBe(sha256(BODY));
    expect(await aws('cp', file, `s3://${PUBLIC}/drop/from-aws`)).toMatchObject({ code: 0 });
    expect(sha256(await read(owner, { Bucket: PUBLIC, Key: 'drop/from-aws' }))).toBe(sha256(BODY));
    expect((await aws('ls', `s3://${PUBLIC}/read/`)).text).toContain('300000 object');
    const refused = await aws('cp', `s3://${CLOSED}/read/object`, `${file}-no`);
    expect(refused).toMatchObject({ code: 1, text: expect.stringContaining('403') });
  });

  it('QingStor’s dialect has the same buckets', async () => {
    const headers = { 'x-qs-date': new Date().toUTCString() };
    const answer = await ask(`/${PUBLIC}/read/object`, { headers });
    expect(sha256(Buffer.from(await answer.arrayBuffer()))).toBe(sha256(BODY));
    const refused = await ask(`/${CLOSED}/read/object`, { headers });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, 'permission_denied']);
    const denied = await ask(`/${PUBLIC}/secret/object`, { headers });
    expect([denied.status, ((await denied.json()) as { code: string }).code]).toEqual([403, 'permission_denied']);
  });
});

describe('a page of another origin', () => {
  it('reads without a signature what everybody may, and that it may not read the rest', async () => {
    const page = new Page('https://app.example.com');
    const read = await page.send(`${stand.gateway.endpoint}/${PUBLIC}/read/object`);
    expect([read?.status, read?.header('x-amz-meta-note'), read?.body.equals(BODY)]).toEqual([200, 'kept', true]);
    const url = `${stand.gateway.endpoint}/${PUBLIC}/drop/by-a-page`;
    const put = await page.send(url, { method: 'PUT', headers: { 'x-amz-meta-by': 'a page' }, body: BODY });
    expect([put?.status, put?.header('etag') === undefined]).toEqual([200, false]);
    for (const key of [`${PUBLIC}/secret/object`, `${CLOSED}/read/object`, 'nobodys/object']) {
      const refused = await page.send(`${stand.gateway.endpoint}/${key}`);
      expect([refused?.status, refused?.body.toString()]).toEqual([403, expect.stringContaining('AccessDenied')]);
    }
    page.close();
  });
});

describe('a change of who may', () => {
  const answers = () =>
    ask(`/${PUBLIC}/read/object`).then(async (answer) => {
      await answer.arrayBuffer();
      return answer.status;
    });

  it('is seen within a second: the policy, and whose the bucket is', async () => {
    expect(await answers()).toBe(200);
    await setBuckets('acme-*', `${SILENT}:anonymous`);
    await expect.poll(answers).toBe(403);
    await setBuckets('acme-closed', 'acme-silent');
    const other = ['tenant', 'add', 'other', '--bucket', `${PUBLIC}:anonymous`];
    expect(await stand.gateway.command(other)).toMatchObject({ code: 0 });
    // The other tenant's now: its key opens nothing that was sealed for the first.
    await expect.poll(answers).toBe(422);
    expect(await said(`/${PUBLIC}/read/object`)).toEqual([422, 'ObjectCorrupted']);
    expect(await said(`/${PUBLIC}/drop/others`, { method: 'PUT', body: 'x' })).toEqual([200, '']);
    expect(await stand.gateway.command(['tenant', 'remove', 'other', '--keep-keys', '--yes'])).toMatchObject({
      code: 0,
    });
    await expect.poll(answers).toBe(403);
    await setBuckets('acme-*', `${PUBLIC}:anonymous`);
    await expect.poll(answers).toBe(200);
  });

  it('waits while the key store is away: what was known serves on', async () => {
    await stand.redis.kill();
    expect(await answers()).toBe(200);
    expect(await said(`/${CLOSED}/read/object`)).toEqual(REFUSED);
    await stand.redis.restart();
  });
});

describe('over the embedded store', () => {
  it('nobody reads anything: it knows no bucket policies', async () => {
    const embedded = await standEmbedded();
    const client = onceClient(embedded.gateway);
    try {
      await embedded.gateway.command(['tenant', 'set', TENANT.name, '--bucket', 'acme-*:anonymous']);
      await client.send(new CreateBucketCommand({ Bucket: PUBLIC }));
      await client.send(new PutObjectCommand({ Bucket: PUBLIC, Key: 'object', Body: 'x' }));
      const answer = await fetch(`${embedded.gateway.endpoint}/${PUBLIC}/object`);
      expect([answer.status, /<Code>(\w+)/.exec(await answer.text())?.[1]]).toEqual(REFUSED);
    } finally {
      client.destroy();
      await embedded.stop();
    }
  });
});
