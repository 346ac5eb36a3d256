import { createHash, createHmac } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chunked } from '../../dialects/s3/signature/chunking.ts';
import { presign, type Signing, sign } from '../../dialects/s3/signature/signing.ts';
import { RawClient } from '../../server/raw-client.ts';
import { type GatewayProcess, startGateway, TENANT } from '../../support/servers/gateway.ts';
import { type Minio, startMinio } from '../../support/servers/minio.ts';
import { type RedisServer, startRedis } from '../../support/servers/redis.ts';
import { backendSettings } from '../../support/servers/store.ts';
import { backendClient, onceClient, read } from '../../support/sight.ts';

/**
 * Everything that a gateway knows and must not tell is planted, then it is made to do and to fail at all that it can,
 * with the log at its most talkative; then log, metrics and error bodies are searched.
 */

const BUCKET = 'acme-planted';
const PLAINTEXT = 'PLANTED-PLAINTEXT-4711';
const METADATA = 'planted-metadata-value-4712';
const DISPOSITION = 'planted-disposition-4713';
const TAG = 'planted-tag-4714';
const TOKEN = 'plantedSecurityToken4715/abcdefghijklmnop+qrstuv==';
const BEARER = 'plantedBearerToken4716';
const CUSTOMER_KEY_BYTES = Buffer.alloc(32, 'planted customer key 4717');
const CUSTOMER_KEY = CUSTOMER_KEY_BYTES.toString('base64');
const CUSTOMER_KEY_MD5 = createHash('md5').update(CUSTOMER_KEY_BYTES).digest();
const OTHER_CUSTOMER_KEY = Buffer.alloc(32, 'planted customer key 4722');
const CUSTOMER_KEY_HEADERS = {
  'x-amz-server-side-encryption-customer-algorithm': 'AES256',
  'x-amz-server-side-encryption-customer-key': CUSTOMER_KEY,
  'x-amz-server-side-encryption-customer-key-md5': CUSTOMER_KEY_MD5.toString('base64'),
};
const V2_SIGNATURE = 'cGxhbnRlZFYyU2lnbmF0dXJl';
const REDIS_PASSWORD = 'plantedRedisPassword4718';
const WRONG_SECRET = 'plantedWrongSecretAccessKey4719';

const BACKEND_SECRETS = ['plantedBackendSecret4720', 'plantedBackendSecret4721'] as const;

const needles = new Map<string, string>([
  ['plaintext', PLAINTEXT],
  ['metadata', METADATA],
  ['content header', DISPOSITION],
  ['tag', TAG],
  ['security token', TOKEN],
  ['security token, encoded', encodeURIComponent(TOKEN)],
  ['bearer token', BEARER],
  ['customer key', CUSTOMER_KEY],
  ['customer key in hex', CUSTOMER_KEY_BYTES.toString('hex')],
  ['MD5 of the customer key', CUSTOMER_KEY_MD5.toString('base64')],
  ['MD5 of the customer key in hex', CUSTOMER_KEY_MD5.toString('hex')],
  ['another customer key', OTHER_CUSTOMER_KEY.toString('base64')],
  ['MD5 of another customer key', createHash('md5').update(OTHER_CUSTOMER_KEY).digest('base64')],
  ['version 2 signature', V2_SIGNATURE],
  ['Redis password', REDIS_PASSWORD],
  ['wrong secret', WRONG_SECRET],
  ['tenant secret', TENANT.secretAccessKey],
  ['backend secret of an access key', BACKEND_SECRETS[0]],
  ['backend secret of a tenant', BACKEND_SECRETS[1]],
]);
const answers: string[] = [];
let signatures = 0;

function note(signature: string | undefined): void {
  if (signature !== undefined && signature !== '') needles.set(`signature ${++signatures}`, signature);
}

let minio: Minio;
let redis: RedisServer;
let gateway: GatewayProcess;
let client: S3Client;
let store: S3Client;
/** Its access key has a backend key, and so has the tenant; the backend takes neither. */
let keyed: S3Client;

beforeAll(async () => {
  [minio, redis] = await Promise.all([startMinio(), startRedis({ requirepass: REDIS_PASSWORD, persistent: true })]);
  gateway = await startGateway({
    backend: backendSettings(minio),
    more: {
      keys: {
        root: { file: 'root.key' },
        store: { redis: redis.url, commandSeconds: 1 },
        cache: { maxAgeSeconds: 0, staleSeconds: 0 },
      },
      customerKeys: { overHttp: 'always' },
      log: { level: 'trace' },
      limits: { idleSeconds: 1, headerSeconds: 1 },
    },
  });
  const root = (await readFile(join(gateway.folder, 'root.key'), 'utf8')).trim();
  needles.set('root key', root);
  needles.set('root key in hex', Buffer.from(root, 'base64').toString('hex'));
  needles.set('backend secret', minio.secretAccessKey);
  expect((await gateway.command(['tenant', 'set', TENANT.name, '--sigv2', 'on'])).code).toBe(0);
  client = watched(onceClient(gateway));
  keyed = watched(await withBackendKeys());
  store = backendClient(minio);
});

afterAll(async () => {
  for (const each of [client, keyed, store]) each?.destroy();
  await gateway?.stop();
  await Promise.all([minio?.stop(), redis?.stop()]);
});

async function withBackendKeys(): Promise<S3Client> {
  const given = async (name: string, secret: string) => {
    const file = join(gateway.folder, name);
    await writeFile(file, secret, { mode: 0o600 });
    return ['--backend-access-key', minio.accessKeyId, '--backend-secret-file', file];
  };
  const of = (what: string, ...more: string[]) => gateway.command([what, ...more, TENANT.name, '--json']);
  const first = await given('first', BACKEND_SECRETS[0]);
  const made = await of('credential', 'add', ...first);
  needles.set('issued secret', (JSON.parse(made.stdout) as { secretAccessKey: string }).secretAccessKey);
  for (const args of [await given('second', BACKEND_SECRETS[1]), ['--no-backend-key']]) {
    expect((await of('tenant', 'set', ...args)).code).toBe(0);
  }
  const { accessKeyId, secretAccessKey } = JSON.parse(made.stdout);
  return onceClient(gateway, { accessKeyId, secretAccessKey });
}

/** Every signature that the SDK sends becomes a needle. */
function watched(sdk: S3Client): S3Client {
  sdk.middlewareStack.add(
    (next) => (args) => {
      const { authorization } = (args.request as { headers: Record<string, string> }).headers;
      note(/Signature=([0-9a-f]+)/.exec(authorization ?? '')?.[1]);
      return next(args);
    },
    { step: 'deserialize', priority: 'low' },
  );
  return sdk;
}

/** Whether it fails or not is not the matter here. */
async function attempt(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'fine',
    (error: { name: string; message: string }) => {
      answers.push(`${error.name} ${error.message}`);
      return error.name;
    },
  );
}

const signing = (over: Partial<Signing> = {}): Signing => ({
  accessKeyId: TENANT.accessKeyId,
  secretAccessKey: TENANT.secretAccessKey,
  host: `127.0.0.1:${gateway.port}`,
  date: new Date(),
  ...over,
});

interface Raw {
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
}

async function send(method: string, { target, headers }: Raw, body: string | Buffer = PLAINTEXT): Promise<void> {
  for (const [, value] of headers) note(/Signature=([0-9a-f]+)/.exec(value)?.[1]);
  note(/X-Amz-Signature=([0-9a-f]+)/.exec(target)?.[1]);
  await using raw = await RawClient.open(gateway.port);
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = Buffer.byteLength(body);
  raw.send(`${method} ${target} HTTP/1.1\r\n${fields}Content-Length: ${length}\r\nConnection: close\r\n\r\n`);
  raw.send(body);
  const { text, statuses } = await raw.closed();
  expect(statuses).toHaveLength(1);
  if ((statuses[0] as number) >= 400) answers.push(text);
}

const headers = { 'x-amz-meta-note': METADATA, 'content-disposition': DISPOSITION };
const path = `/${BUCKET}/object`;
const signed = (over: Partial<Signing> = {}, more: Record<string, string> = {}) =>
  sign({ method: 'PUT', path, headers: { ...headers, ...more }, body: Buffer.from(PLAINTEXT) }, signing(over));

const object = { Bucket: BUCKET, Key: 'object' };
/** An object under the planted customer key. */
const sealed = { Bucket: BUCKET, Key: 'sealed by its client' };
const customer = (key: Buffer) => ({
  SSECustomerAlgorithm: 'AES256',
  SSECustomerKey: key.toString('base64'),
  SSECustomerKeyMD5: createHash('md5').update(key).digest('base64'),
});
const upload = () =>
  new PutObjectCommand({
    ...object,
    Body: PLAINTEXT,
    Metadata: { note: METADATA },
    ContentDisposition: DISPOSITION,
    Tagging: `a=${TAG}`,
  });

describe('nothing planted is told', () => {
  it('while all goes well', async () => {
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await client.send(upload());
    expect((await read(client, object)).toString()).toBe(PLAINTEXT);
    await client.send(new HeadObjectCommand(object));
    await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
    await client.send(new ListBucketsCommand({}));
    await client.send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet: [{ Key: 'a', Value: TAG }] } }));
    const url = await getSignedUrl(client, new GetObjectCommand(object));
    note(new URL(url).searchParams.get('X-Amz-Signature') ?? '');
    expect(await (await fetch(url)).text()).toBe(PLAINTEXT);
    await client.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: 'absent' }));
    await client.send(new PutObjectCommand({ ...sealed, Body: PLAINTEXT, ...customer(CUSTOMER_KEY_BYTES) }));
    expect((await read(client, { ...sealed, ...customer(CUSTOMER_KEY_BYTES) })).toString()).toBe(PLAINTEXT);
  });

  it('while clients err', async () => {
    await send('PUT', await signed({ secretAccessKey: WRONG_SECRET }));
    await send('PUT', await signed({ accessKeyId: 'AKIDNOBODY' }));
    await send('PUT', await signed({ date: new Date(Date.now() - 1_000_000) }));
    await send('PUT', await signed({ region: 'elsewhere' }));
    await send('PUT', await signed({}, { 'x-amz-security-token': TOKEN }));
    await send('PUT', await signed({}, { 'x-amz-server-side-encryption-customer-key': CUSTOMER_KEY }));
    await send('PUT', await signed({}, { ...CUSTOMER_KEY_HEADERS, 'x-amz-server-side-encryption': 'AES256' }));
    await send('PUT', await signed({}, { 'x-amz-server-side-encryption': 'aws:kms:dsse' }));
    expect(await attempt(read(client, { ...sealed, ...customer(OTHER_CUSTOMER_KEY) }))).toBe('AccessDenied');
    expect(await attempt(read(client, sealed))).toBe('InvalidRequest');
    expect(await attempt(read(client, { ...object, ...customer(CUSTOMER_KEY_BYTES) }))).toBe('InvalidRequest');
    await send('PUT', await signed({}, { 'x-amz-meta-long': `${METADATA}${'x'.repeat(2000)}` }));
    await send('PUT', await signed(), 'planted other body');
    const host = ['host', `127.0.0.1:${gateway.port}`] as const;
    for (const authorization of [`Bearer ${BEARER}`, `AWS AKID:${V2_SIGNATURE}`, `AWS4-HMAC-SHA256 ${TOKEN}`, TOKEN]) {
      await send('PUT', { target: path, headers: [host, ['authorization', authorization]] });
    }
    await send('GET', { target: `${path}?X-Amz-Security-Token=${encodeURIComponent(TOKEN)}`, headers: [host] }, '');
    for (const [method, target] of [
      ['PUT', path],
      ['GET', `${path}?acl`],
    ] as const) {
      const date = new Date().toUTCString();
      const v2 = (text: string) => createHmac('sha1', TENANT.secretAccessKey).update(text).digest('base64');
      const customer = ['x-amz-server-side-encryption-customer-key', CUSTOMER_KEY] as const;
      const good = v2(`${method}\n\n\n${date}\n${customer.join(':')}\n${target}`);
      for (const signature of [good, v2(`wrong ${target}`)]) {
        note(signature);
        note(encodeURIComponent(signature));
        const authorization = ['authorization', `AWS ${TENANT.accessKeyId}:${signature}`] as const;
        await send(method, { target, headers: [host, ['date', date], customer, authorization] }, '');
        const query = `AWSAccessKeyId=${TENANT.accessKeyId}&Expires=4000000000&Signature=${encodeURIComponent(signature)}`;
        await send(method, { target: `${target}${target.includes('?') ? '&' : '?'}${query}`, headers: [host] }, '');
      }
    }
    const old = signing({ date: new Date(Date.now() - 120_000) });
    await send('GET', await presign({ method: 'GET', path }, 60, old), '');
    await send('DELETE', await presign({ method: 'GET', path }, 60, signing()), '');
    await attempt(client.send(new CopyObjectCommand({ ...object, CopySource: `${BUCKET}/${PLAINTEXT}` })));
    await attempt(client.send(new PutObjectCommand({ ...object, Body: PLAINTEXT, SSECustomerKey: CUSTOMER_KEY })));
    await attempt(client.send(new PutObjectCommand({ ...object, Bucket: 'other-tenants', Body: PLAINTEXT })));
    expect(await attempt(read(keyed, object))).toBe('AccessDenied');
    expect(await attempt(keyed.send(upload()))).toBe('AccessDenied');
    expect(await attempt(keyed.send(new GetObjectTaggingCommand(object)))).toBe('AccessDenied');
    await attempt(read(client, { ...object, Key: 'absent' }));
    await attempt(read(client, { ...object, Range: 'bytes=99999-' }));
    await attempt(client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects: [] } })));
  });

  it('while chunks are forged', async () => {
    const as = signing();
    for (const forge of [(piece: string) => piece.replace(/[0-9a-f]\r\n$/, 'x\r\n'), (piece: string) => `z${piece}`]) {
      const request = await sign(
        {
          method: 'PUT',
          path,
          headers: { ...headers, 'x-amz-decoded-content-length': String(PLAINTEXT.length) },
          payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
        },
        as,
      );
      const body = chunked({
        body: Buffer.from(PLAINTEXT),
        chunkBytes: 100,
        as,
        seed: request.seed,
        trailers: false,
        forge: (piece, name) => {
          note(/chunk-signature=([0-9a-f]{64})/.exec(piece)?.[1]);
          return name === 'header' ? forge(piece) : piece;
        },
      });
      await send('PUT', request, body);
    }
  });

  it('while documents are malformed', async () => {
    for (const document of [`<Delete>${PLAINTEXT}`, `<Delete><Object><Key>${METADATA}</Key></Delete>`, PLAINTEXT]) {
      const body = Buffer.from(document);
      const md5 = createHash('md5').update(body).digest('base64');
      const request = {
        method: 'POST',
        path: `/${BUCKET}`,
        query: { delete: '' },
        headers: { 'content-md5': md5 },
        body,
      };
      await send('POST', await sign(request, signing()), body);
    }
  });

  it('while HTTP is broken', async () => {
    const { target, headers: fields } = await signed({}, { 'x-amz-security-token': TOKEN });
    const lines = fields.map(([name, value]) => `${name}: ${value}`);
    for (const text of [
      `PUT ${target} HTTP/1.1\n${lines.join('\n')}\n\n${PLAINTEXT}`,
      `PUT ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\nBroken${METADATA}\r\n\r\n`,
      `PUT ${target}?token=${TOKEN} ${METADATA} HTTP/1.1\r\n\r\n`,
      `PUT ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\nContent-Length: 99\r\n\r\n${PLAINTEXT}`,
      `PUT ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\nTransfer-Encoding: chunked\r\n\r\n${PLAINTEXT}`,
      `PUT ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\nX-Late: ${METADATA}`,
      `GET /${'k'.repeat(40_000)}${METADATA} HTTP/1.1\r\n\r\n`,
    ]) {
      await using raw = await RawClient.open(gateway.port);
      const { text: answer, status } = await raw.send(text).closed();
      expect(status).toBeGreaterThanOrEqual(400);
      answers.push(answer);
    }
  });

  it('while the store tampers', async () => {
    const { Body, Metadata = {} } = await store.send(new GetObjectCommand(object));
    const body = Buffer.from((await Body?.transformToByteArray()) ?? []);
    const sx1 = Metadata.sx1 as string;
    needles.set('envelope', sx1);
    const tampered: Partial<PutObjectCommandInput>[] = [
      { Body: PLAINTEXT, Metadata: { note: METADATA } },
      { Body: body, Metadata: { ...Metadata, note: `${METADATA}!` } },
      { Body: body, Metadata: { ...Metadata, sx1: `${sx1.slice(0, -2)}AA` } },
      { Body: body.subarray(1), Metadata, ContentDisposition: DISPOSITION },
    ];
    for (const planted of tampered) {
      await store.send(new PutObjectCommand({ ...object, ...planted }));
      expect(await attempt(read(client, object))).toMatch(/^Object(Corrupted|NotSealed)$/);
    }
    await client.send(upload());
  });

  it('while Redis, then MinIO are away, and the gateway stops', async () => {
    await redis.kill();
    await expect.poll(() => attempt(read(client, object))).toBe('ServiceUnavailable');
    await redis.restart();
    await expect.poll(() => attempt(read(client, object))).toBe('fine');
    await minio.kill();
    expect(await attempt(client.send(upload()))).toBe('ServiceUnavailable');
    answers.push(await (await fetch(`${gateway.admin}/readyz`)).text());
    answers.push(await (await fetch(`${gateway.admin}/metrics`)).text());
    await gateway.terminate();
  });

  it('in the log, the metrics and the answers, which tell enough otherwise', () => {
    const log = gateway.output();
    for (const code of [
      ...['SignatureDoesNotMatch', 'InvalidAccessKeyId', 'RequestTimeTooSkewed', 'InvalidToken', 'ExpiredRequest'],
      ...['MetadataTooLarge', 'NotImplemented', 'XAmzContentSHA256Mismatch', 'MalformedBody', 'RequestTimeout'],
      ...['CustomerKeyNeeded', 'CustomerKeyUnneeded', 'CustomerKeyWrong'],
      ...['ObjectCorrupted', 'ObjectNotSealed', 'BackendKeyRefused', 'KeyStoreUnavailable', 'BackendUnavailable'],
    ]) {
      expect(log).toContain(`"errorCode":"${code}"`);
    }
    expect(signatures).toBeGreaterThan(30);
    const told = { log, answers: answers.join('\n') };
    for (const [name, needle] of needles) {
      for (const [place, text] of Object.entries(told)) {
        if (text.includes(needle)) expect.fail(`${place}: ${name} in ${lineWith(text, needle)}`);
      }
    }
  });

  it('nor anything in the log that looks like a key or a signature of the gateway’s own', () => {
    const log = gateway.output();
    expect(log.match(/[0-9a-f]{33,}|[A-Za-z0-9+_-]{43,}|AWS4-HMAC|X-Amz-[A-Z]|\$argon|redis:\/\/[^"]*@/g)).toBeNull();
    const others = log.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
    expect(others).toEqual([]);
  });
});

function lineWith(text: string, needle: string): string {
  const at = text.indexOf(needle);
  return text.slice(Math.max(0, at - 100), at + needle.length + 20);
}
