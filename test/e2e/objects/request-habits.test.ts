import { createHash, createHmac } from 'node:crypto';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode, type Signing, sign } from '../../dialects/s3/signature/signing.ts';
import { RawClient } from '../../server/raw-client.ts';
import { TENANT } from '../../support/servers/gateway.ts';
import { type Stand, standOnMinio } from '../../support/servers/stand.ts';
import { onceClient } from '../../support/sight.ts';

/**
 * The bytes of programs that S3 serves and that are not among the tools of these tests: habits of SDKs, of HTTP clients
 * and of the proxies between. What each sends was seen in its own code or in reports about it.
 */

const BUCKET = 'acme-habits';
const BODY = Buffer.from('what is read');

let stand: Stand;
let client: S3Client;
let host: string;

beforeAll(async () => {
  const behindProxy = { trustedProxies: ['127.0.0.1'] };
  stand = await standOnMinio({ more: behindProxy });
  client = onceClient(stand.gateway);
  host = `127.0.0.1:${stand.gateway.port}`;
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  for (const Key of ['read', 'my own/backup', 'a b+c']) {
    await client.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: BODY, ContentType: 'text/x-read' }));
  }
});

afterAll(async () => {
  client?.destroy();
  await stand?.stop();
});

const signing = (over: Partial<Signing> = {}): Signing => ({ ...TENANT, host, date: new Date(), ...over });

type Fields = Readonly<Record<string, string>>;

async function exchange(method: string, target: string, headers: Fields, body: Buffer = Buffer.alloc(0)) {
  await using raw = await RawClient.open(stand.gateway.port);
  const fields = Object.entries({ ...headers, connection: headers.connection ?? 'close' });
  const head = `${method} ${target} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  const { statuses, text } = await raw.send(Buffer.concat([Buffer.from(head, 'latin1'), body])).closed();
  const [answerHead = '', ...rest] = text.split('\r\n\r\n');
  return { statuses, head: answerHead, text: rest.join('\r\n\r\n') };
}

/** A signed request: its headers are changed, and others sent beside them, after the signature. */
async function signed(
  request: { readonly method?: string; readonly path?: string; readonly query?: Fields; readonly headers?: Fields },
  sent: {
    readonly target?: (target: string) => string;
    readonly without?: string;
    readonly headers?: Fields;
    readonly body?: Buffer;
  } = {},
) {
  const { method = 'GET', path = `/${BUCKET}/read`, query = {}, headers = {} } = request;
  const made = await sign(
    { method, path, query, headers, ...(sent.body !== undefined && { body: sent.body }) },
    signing(),
  );
  const kept = made.headers.filter(([name]) => name !== sent.without);
  const length: Fields = sent.body === undefined ? {} : { 'content-length': String(sent.body.length) };
  const target = sent.target?.(made.target) ?? made.target;
  return exchange(method, target, { ...Object.fromEntries(kept), ...length, ...sent.headers }, sent.body);
}

/** `getSignedUrl('putObject', …)` of the AWS SDK for JavaScript 2, in both of its signatures. */
function presignedByJavaScript2(key: string, version: 2 | 4, body: Buffer): string {
  const md5 = createHash('md5').update(body).digest('base64');
  const own = {
    'Content-Type': 'text/csv',
    'Content-MD5': md5,
    'Cache-Control': 'max-age=60',
    'x-amz-acl': 'private',
    'x-amz-meta-color': 'blue',
  };
  const path = `/${BUCKET}/${key}`;
  const secret = TENANT.secretAccessKey;
  if (version === 2) {
    const expires = String(Math.floor(Date.now() / 1000) + 60);
    const text = `PUT\n${md5}\ntext/csv\n${expires}\nx-amz-acl:private\nx-amz-meta-color:blue\n${path}`;
    const Signature = createHmac('sha1', secret).update(text).digest('base64');
    return `${path}?${queryOf({ ...own, AWSAccessKeyId: TENANT.accessKeyId, Expires: expires, Signature })}`;
  }
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const lines = {
    'cache-control': 'max-age=60',
    'content-md5': md5,
    host,
    'x-amz-acl': 'private',
    'x-amz-meta-color': 'blue',
  };
  const names = Object.keys(lines).join(';');
  const query = queryOf({
    ...own,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${TENANT.accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': '900',
    'X-Amz-SignedHeaders': names,
  });
  const listed = Object.entries(lines).map(([name, value]) => `${name}:${value}\n`);
  const canonical = `PUT\n${path}\n${query}\n${listed.join('')}\n${names}\nUNSIGNED-PAYLOAD`;
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`;
  const key4 = scope
    .split('/')
    .reduce<string | Buffer>((key, part) => createHmac('sha256', key).update(part).digest(), `AWS4${secret}`);
  return `${path}?${query}&X-Amz-Signature=${createHmac('sha256', key4).update(text).digest('hex')}`;
}

const queryOf = (fields: Fields) =>
  Object.entries(fields)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');

describe('presigned PUTs of the AWS SDK for JavaScript 2', () => {
  const sent = Buffer.from('a,b\n1,2\n');

  it('of version 4 keep what the query says, and hold the body to it', async () => {
    const put = (body: Buffer) =>
      fetch(`http://${host}${presignedByJavaScript2('v4', 4, sent)}`, { method: 'PUT', body });
    const wrong = await put(Buffer.from('a,b\n1,3\n'));
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining('<Code>BadDigest</Code>')]);
    expect((await signed({ path: `/${BUCKET}/v4` })).statuses).toEqual([404]);
    expect((await put(sent)).status).toBe(200);
    const { head, text } = await signed({ path: `/${BUCKET}/v4` });
    expect(text).toBe(sent.toString());
    expect(head).toMatch(/^content-type: text\/csv$/im);
    expect(head).toMatch(/^cache-control: max-age=60$/im);
    expect(head).toMatch(/^x-amz-meta-color: blue$/im);
  });

  it('of version 2 are taken where the tenant takes that', async () => {
    expect((await stand.gateway.command(['tenant', 'set', TENANT.name, '--sigv2', 'on'])).code).toBe(0);
    const put = () => fetch(`http://${host}${presignedByJavaScript2('v2', 2, sent)}`, { method: 'PUT', body: sent });
    await expect.poll(async () => (await put()).status).toBe(200);
    const { head, text } = await signed({ path: `/${BUCKET}/v2` });
    expect(text).toBe(sent.toString());
    expect(head).toMatch(/^content-type: text\/csv$/im);
    expect(head).not.toMatch(/^cache-control/im); // nothing signs it there
  });
});

describe('clients of HTTP', () => {
  const served = { statuses: [200], text: BODY.toString() };

  it.each([
    [
      'JDK HttpClient',
      { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAEAAEAAAAIAAAABAAMAAABk' },
    ],
    ['Apache HttpClient 5.4', { connection: 'Upgrade', upgrade: 'TLS/1.2' }],
  ])('%s, which offers another protocol', async (_name, headers) => {
    expect(await signed({}, { headers })).toMatchObject(served);
    // Forwarded to the store, which must not see the offer either.
    const acl = await signed({ path: `/${BUCKET}`, query: { location: '' } }, { headers });
    expect(acl.statuses).toEqual([200]);
    const cors = await signed({ path: `/${BUCKET}`, query: { versioning: '' } }, { headers });
    expect([cors.statuses, cors.text]).toEqual([[200], expect.stringContaining('VersioningConfiguration')]);
  });

  it('curl -x, which takes the gateway for a proxy', async () => {
    expect(await signed({}, { target: (target) => `http://${host}${target}` })).toMatchObject(served);
    const forwarded = { path: `/${BUCKET}`, query: { versioning: '' } };
    const settings = await signed(forwarded, { target: (target) => `http://${host}${target}` });
    expect([settings.statuses, settings.text]).toEqual([[200], expect.stringContaining('VersioningConfiguration')]);
    const elsewhere = await signed({}, { target: (target) => `http://store.example${target}` });
    expect(elsewhere.statuses).toEqual([400]);
  });

  it('whose signed headers a proxy takes away', async () => {
    expect(await signed({ headers: { 'content-length': '0' } }, { without: 'content-length' })).toMatchObject(served);
    const put = { method: 'PUT', path: `/${BUCKET}/expected`, headers: { expect: '100-continue' } };
    expect((await signed(put, { without: 'expect', body: BODY })).statuses).toEqual([200]);
  });

  it('that send names as raw UTF-8', async () => {
    const raw = (target: string) => Buffer.from(decodeURIComponent(target), 'utf8').toString('latin1');
    const path = `/${BUCKET}/${encode('ünï')}/${encode('日本')}`;
    const put = await signed({ method: 'PUT', path }, { target: raw, body: BODY });
    expect(put.statuses).toEqual([200]);
    expect(await signed({ path })).toMatchObject(served);
    expect(await signed({ path }, { target: raw })).toMatchObject(served);
    const another = await signed({ path }, { target: (target) => raw(target).replace('\xaf', '\xae') });
    expect([another.statuses, another.text]).toEqual([[403], expect.stringContaining('SignatureDoesNotMatch')]);
  });

  it('that send blanks in a query as a plus', async () => {
    const asForm = (target: string) => target.replaceAll('%20', '+');
    const query = { 'list-type': '2', prefix: 'my own/' };
    const { statuses, text } = await signed({ path: `/${BUCKET}`, query }, { target: asForm });
    expect([statuses, text]).toEqual([[200], expect.stringContaining('<Key>my own/backup</Key>')]);
  });

  it.each(['v=123', 'utm_source=mail', 'x-user=ann', 'Range=', '1732985', 'Version=2006-03-01'])(
    'that add ?%s',
    async (noise) => {
      const [name = '', value = ''] = noise.split('=');
      expect(await signed({ query: { [name]: value } })).toMatchObject(served);
      const listed = await signed({ path: `/${BUCKET}`, query: { prefix: 'read', [name]: value } });
      expect([listed.statuses, listed.text]).toEqual([[200], expect.stringContaining('<Key>read</Key>')]);
      // It is signed like any other, and a sub-resource is none.
      const added = await signed({ query: { [name]: value } }, { target: (target) => `${target}&w=1` });
      expect(added.text).toContain('<Code>SignatureDoesNotMatch</Code>');
      expect((await signed({ query: { torrent: '', [name]: value } })).statuses).toEqual([501]);
    },
  );

  it.each(['bytes= -1', 'bytes=-', 'bytes=a-b', 'bytes=0-1,3-4', 'bytes=3-1'])('that ask for %s', async (range) => {
    expect(await signed({ headers: { range } })).toMatchObject(served);
  });
});

it('takes a copy source as Java’s URLEncoder writes it', async () => {
  const headers = { 'x-amz-copy-source': `${BUCKET}/a+b%2Bc` };
  expect((await signed({ method: 'PUT', path: `/${BUCKET}/copied`, headers })).statuses).toEqual([200]);
  expect((await signed({ path: `/${BUCKET}/copied` })).text).toBe(BODY.toString());
});

it('tells a completed upload’s place by the scheme that a trusted proxy names', async () => {
  const path = `/${BUCKET}/parts`;
  const headers = { 'x-amz-metadata-directive': 'REPLACE' }; // as s3fs sends it
  const { text } = await signed({ method: 'POST', path, query: { uploads: '' }, headers });
  const uploadId = /<UploadId>(.*?)</.exec(text)?.[1] ?? '';
  const part = await signed({ method: 'PUT', path, query: { partNumber: '1', uploadId } }, { body: BODY });
  const etag = /^etag: (.*)$/im.exec(part.head)?.[1] ?? '';
  const document = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
  const completed = await signed(
    { method: 'POST', path, query: { uploadId } },
    { body: Buffer.from(document), headers: { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.7' } },
  );
  expect([completed.statuses, completed.text]).toEqual([
    [200],
    expect.stringContaining(`<Location>https://${host}${path}<`),
  ]);
});
