import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketCorsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Page } from '../../support/page.ts';
import { payload } from '../../support/payload.ts';
import { STORES } from '../../support/servers/every-store.ts';
import { clientSettings, type Stand, standEmbedded, standOver } from '../../support/servers/stand.ts';
import { startVersityGateway } from '../../support/servers/versitygw.ts';
import { expectServed, onceClient, read, refusal } from '../../support/sight.ts';

/** Pages of another origin, in a browser that keeps them to the rules, at work on sealed objects. */

const ORIGIN = 'https://app.example.com';
const STRANGER = 'https://stranger.example.com';
const BUCKET = 'acme-browsers';
const BARE = 'acme-without-rules';
const MIB = 1024 * 1024;

const RULES = {
  CORSRules: [
    {
      AllowedOrigins: [ORIGIN],
      AllowedMethods: ['GET', 'PUT', 'POST', 'HEAD'],
      AllowedHeaders: ['*'],
      ExposeHeaders: ['ETag', 'x-amz-meta-note', 'x-amz-checksum-crc32'],
      MaxAgeSeconds: 60,
    },
  ],
};

/** The SDK with the page's requests for its own, as it is bundled for browsers. */
function clientIn(page: Page, stand: Stand): S3Client {
  const handle = async (request: SdkRequest) => {
    const { protocol, hostname, port, path, query, method, headers, body } = request;
    const search = new URLSearchParams(query).toString();
    const url = `${protocol}//${hostname}:${port}${path}${search === '' ? '' : `?${search}`}`;
    const bytes = body === undefined ? undefined : Buffer.from(body);
    const seen = await page.send(url, { method, headers, ...(bytes !== undefined && { body: bytes }) });
    if (seen === undefined) throw new Error('The browser does not let the page have the answer.');
    return { response: { statusCode: seen.status, headers: seen.headers, body: Readable.from([seen.body]) } };
  };
  return new S3Client({ ...clientSettings(stand.gateway), maxAttempts: 1, requestHandler: { handle } as never });
}

interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | undefined;
}

interface Browsing {
  readonly stand: Stand;
  readonly client: S3Client;
  readonly page: Page;
  readonly stranger: Page;
}

async function browse(start: () => Promise<Stand>): Promise<Browsing> {
  const stand = await start();
  const client = onceClient(stand.gateway);
  for (const Bucket of [BUCKET, BARE]) await client.send(new CreateBucketCommand({ Bucket }));
  return { stand, client, page: new Page(ORIGIN), stranger: new Page(STRANGER) };
}

async function leave(browsing: Browsing | undefined): Promise<void> {
  browsing?.page.close();
  browsing?.stranger.close();
  browsing?.client.destroy();
  await browsing?.stand.stop();
}

/** Any command of the SDK: each has a type of its own. */
type Command = { readonly middlewareStack: object };
const presign = (client: S3Client, command: Command) =>
  getSignedUrl(client, command as Parameters<typeof getSignedUrl>[1], {
    unhoistableHeaders: new Set(['x-amz-meta-note']),
  });

const codeIn = (body: Buffer | undefined) => /<Code>(\w+)<\/Code>/.exec(body?.toString() ?? '')?.[1];

/** MinIO has rules for all buckets, which let anyone in; the others have them by bucket. */
describe.each(STORES)('a page over %s', (name, start) => {
  let browsing: Browsing;
  beforeAll(async () => {
    browsing = await browse(async () => standOver(await start()));
    const set = browsing.client.send(new PutBucketCorsCommand({ Bucket: BUCKET, CORSConfiguration: RULES }));
    if (name === 'MinIO') expect(await refusal(set)).toEqual([501, 'NotImplemented']);
    else await set;
  });
  afterAll(() => leave(browsing));

  it('puts and gets by presigned URLs, and reads what the answers expose', async () => {
    const { client, page } = browsing;
    const body = payload(300_000, 21);
    const object = { Bucket: BUCKET, Key: 'presigned ü', ContentType: 'image/x-page' };
    const putUrl = await presign(client, new PutObjectCommand({ ...object, Metadata: { note: 'kept' } }));
    const headers = { 'content-type': 'image/x-page', 'x-amz-meta-note': 'kept' };
    const put = await page.send(putUrl, { method: 'PUT', headers, body });
    expect(put?.status).toBe(200);
    expect(put?.header('etag')).toMatch(/^".+"$/);
    expect(put?.header('x-amz-id-2') === undefined).toBe(name !== 'MinIO');
    const getUrl = await presign(client, new GetObjectCommand({ Bucket: BUCKET, Key: object.Key }));
    const got = await page.send(getUrl);
    expect([got?.status, got?.header('x-amz-meta-note'), got?.header('etag')]).toEqual([
      200,
      'kept',
      put?.header('etag'),
    ]);
    expect(got?.body.equals(body)).toBe(true);
    const range = await page.send(getUrl, { headers: { range: 'bytes=70000-70009' } });
    expect([range?.status, range?.body]).toEqual([206, body.subarray(70_000, 70_010)]);
    const again = await page.send(getUrl, { headers: { 'if-none-match': put?.header('etag') ?? '' } });
    expect(again?.status).toBe(304);
  });

  it('uploads in parts, by the ETags that it reads', async () => {
    const { client, page } = browsing;
    const object = { Bucket: BUCKET, Key: 'parts' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
    const body = payload(7 * MIB, 22);
    const pieces = [body.subarray(0, 5 * MIB), body.subarray(5 * MIB)];
    const Parts = await Promise.all(
      pieces.map(async (piece, at) => {
        const part = { ...object, UploadId, PartNumber: at + 1 };
        const sent = await page.send(await presign(client, new UploadPartCommand(part)), {
          method: 'PUT',
          body: piece,
        });
        return { PartNumber: at + 1, ETag: sent?.header('etag') };
      }),
    );
    expect(Parts.every(({ ETag }) => ETag !== undefined)).toBe(true);
    const url = await presign(client, new CompleteMultipartUploadCommand({ ...object, UploadId }));
    const listed = Parts.map(
      ({ PartNumber, ETag }) => `<Part><PartNumber>${PartNumber}</PartNumber><ETag>${ETag}</ETag></Part>`,
    );
    const done = await page.send(url, {
      method: 'POST',
      body: Buffer.from(`<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`),
    });
    expect([done?.status, done?.body.toString()]).toEqual([200, expect.stringContaining('<ETag>')]);
    await expectServed(client, BUCKET, 'parts', body);
  });

  it('works with the AWS SDK, signing each request', async () => {
    const { page, stand, client } = browsing;
    const inPage = clientIn(page, stand);
    const body = payload(11 * MIB + 3, 24);
    const upload = new Upload({ client: inPage, params: { Bucket: BUCKET, Key: 'sdk', Body: body } });
    expect((await upload.done()).ETag).toMatch(/^".+"$/);
    await expectServed(client, BUCKET, 'sdk', body);
    const small = payload(70_000, 25);
    await inPage.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'small', Body: small, Metadata: { note: 'kept' } }));
    const got = await inPage.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'small' }));
    expect(got.Metadata).toEqual({ note: 'kept' });
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(small)).toBe(true);
    const absent = inPage.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'absent' }));
    expect(await refusal(absent)).toEqual([404, 'NoSuchKey']);
    inPage.destroy();
  });

  it('uploads by a form, and reads its answer', async () => {
    const { client, page } = browsing;
    const sent = payload(100_000, 23);
    const { url, fields } = await createPresignedPost(client, {
      Bucket: BUCKET,
      Key: 'form',
      Fields: { success_action_status: '201' },
    });
    const form = new Map<string, string | Buffer>([...Object.entries(fields), ['file', sent]]);
    const answer = await page.send(url, { method: 'POST', body: form });
    expect([answer?.status, answer?.body.toString()]).toEqual([201, expect.stringContaining('<Key>form</Key>')]);
    expect(answer?.header('etag')).toBeDefined();
    await expectServed(client, BUCKET, 'form', sent);
    form.set('X-Amz-Signature', '0'.repeat(64));
    const forged = await page.send(url, { method: 'POST', body: form });
    expect([forged?.status, codeIn(forged?.body)]).toEqual([403, 'SignatureDoesNotMatch']);
  });

  it('is sent on by a form to where its uploader said, wherever that is', async () => {
    const redirect = `${ORIGIN}/thanks?for=it`;
    const { url, fields } = await createPresignedPost(browsing.client, {
      Bucket: BUCKET,
      Key: 'redirected',
      Fields: { success_action_redirect: redirect },
    });
    const form = new FormData();
    for (const [field, value] of Object.entries(fields)) form.append(field, value);
    form.append('file', 'x');
    const sent = { method: 'POST', headers: { origin: ORIGIN }, body: form, redirect: 'manual' } as const;
    const answer = await fetch(url, sent);
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([303, ORIGIN]);
    expect(answer.headers.get('location')).toMatch(/^https:\/\/app\.example\.com\/thanks\?for=it&bucket=/);
  });

  it('lists, and reads the errors that the store makes and those that the gateway makes', async () => {
    const { client, page } = browsing;
    const listing = await page.send(await presign(client, new ListObjectsV2Command({ Bucket: BUCKET })));
    expect([listing?.status, listing?.body.toString()]).toEqual([200, expect.stringContaining('<ListBucketResult')]);
    const absent = new GetObjectCommand({ Bucket: BUCKET, Key: 'absent' });
    const said = async (url: string, headers = {}) => {
      const answer = await page.send(url, { headers });
      return [answer?.status, codeIn(answer?.body)];
    };
    expect(await said(await presign(client, absent))).toEqual([404, 'NoSuchKey']);
    expect(await said((await presign(client, absent)).replace(/Signature=..../, 'Signature=0000'))).toEqual([
      ...[403, 'SignatureDoesNotMatch'],
    ]);
    expect(await said(`${(await presign(client, absent)).split('?')[0]}`)).toEqual([403, 'AccessDenied']);
    expect(await said(`${await presign(client, absent)}&torrent`)).toEqual([501, 'NotImplemented']);
    const acl = `${browsing.stand.gateway.endpoint}/${BUCKET}/absent?acl`;
    expect(await said(acl)).toEqual([403, 'AccessDenied']);
  });

  it('is told whether it may, and by which rules, beforehand', async () => {
    const preflight = (bucket: string, more = {}) =>
      fetch(`${browsing.stand.gateway.endpoint}/${bucket}/k?X-Amz-Signature=x`, {
        method: 'OPTIONS',
        headers: { origin: ORIGIN, 'access-control-request-method': 'PUT', ...more },
      });
    const answer = await preflight(BUCKET, { 'access-control-request-headers': 'x-amz-date' });
    expect(answer.ok).toBe(true);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(answer.headers.get('access-control-allow-headers')).toBe('x-amz-date');
    expect(answer.headers.get('vary')).toContain('Origin');
    expect(answer.headers.get('server')).toBe('Sealgate');
    expect(await answer.text()).toBe('');
  });
});

describe('over versitygw, a page', () => {
  let browsing: Browsing;
  beforeAll(async () => {
    browsing = await browse(async () => standOver(await startVersityGateway()));
    await browsing.client.send(new PutBucketCorsCommand({ Bucket: BUCKET, CORSConfiguration: RULES }));
  });
  afterAll(() => leave(browsing));

  it('of another origin than the rules name may neither send nor read', async () => {
    const { client, page, stranger } = browsing;
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'k', Body: 'kept' }));
    const getUrl = await presign(client, new GetObjectCommand({ Bucket: BUCKET, Key: 'k' }));
    const putUrl = await presign(client, new PutObjectCommand({ Bucket: BUCKET, Key: 'k' }));
    expect((await page.send(getUrl))?.status).toBe(200);
    expect(await stranger.send(getUrl)).toBeUndefined();
    expect(await stranger.send(putUrl, { method: 'PUT', body: Buffer.from('lost') })).toBeUndefined();
    expect((await read(client, { Bucket: BUCKET, Key: 'k' })).toString()).toBe('kept');
  });

  it('is not let in by a bucket without rules, or of nobody', async () => {
    const { client, page, stand } = browsing;
    await client.send(new PutObjectCommand({ Bucket: BARE, Key: 'k', Body: 'kept' }));
    expect(await page.send(await presign(client, new GetObjectCommand({ Bucket: BARE, Key: 'k' })))).toBeUndefined();
    expect(await page.send(`${stand.gateway.endpoint}/nobodys/k`)).toBeUndefined();
    const answer = await fetch(`${stand.gateway.endpoint}/${BARE}/k`, {
      method: 'OPTIONS',
      headers: { origin: ORIGIN, 'access-control-request-method': 'PUT' },
    });
    expect([answer.status, codeIn(Buffer.from(await answer.arrayBuffer()))]).toEqual([403, 'AccessForbidden']);
  });

  it('meets the rules as they are changed', async () => {
    const { client, page } = browsing;
    const object = { Bucket: BUCKET, Key: 'changes' };
    await client.send(new PutObjectCommand({ ...object, Body: 'x' }));
    const url = await presign(client, new GetObjectCommand(object));
    expect((await page.send(url))?.status).toBe(200);
    await client.send(new DeleteBucketCorsCommand({ Bucket: BUCKET }));
    expect(await page.send(url)).toBeUndefined();
    await client.send(new PutBucketCorsCommand({ Bucket: BUCKET, CORSConfiguration: RULES }));
    expect((await page.send(url))?.header('etag')).toBeDefined();
    const { CORSRules } = await client.send(new GetBucketCorsCommand({ Bucket: BUCKET }));
    expect(CORSRules).toMatchObject(RULES.CORSRules);
  });
});

describe('an answer to a request that names no origin', () => {
  it('is let into no page, and says to caches that others may be', async () => {
    const stand = await standEmbedded();
    const client = onceClient(stand.gateway);
    try {
      const object = { Bucket: BUCKET, Key: 'k' };
      await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
      await client.send(new PutObjectCommand({ ...object, Body: 'x' }));
      const url = await presign(client, new GetObjectCommand(object));
      for (const headers of [{}, { origin: ORIGIN }]) {
        const answer = await fetch(url, { headers });
        expect([answer.status, answer.headers.get('vary')]).toEqual([200, 'Origin']);
        expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
      }
    } finally {
      client.destroy();
      await stand.stop();
    }
  });
});
