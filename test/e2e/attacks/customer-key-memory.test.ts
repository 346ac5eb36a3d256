import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { Agent, type RequestOptions, request } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Signing, sign } from '../../dialects/s3/signature/signing.ts';
import { makeCertificate, type ServerCertificate } from '../../support/certificate.ts';
import { type GatewayProcess, startGateway, TENANT } from '../../support/servers/gateway.ts';
import { type Minio, startMinio } from '../../support/servers/minio.ts';
import { clientSettings } from '../../support/servers/stand.ts';
import { backendSettings } from '../../support/servers/store.ts';
import { read, refusal } from '../../support/sight.ts';

/** What a gateway still knows of customers' keys (SSE-C) a second after the last request that brought one. */

const BUCKET = 'acme-forgotten';
const BODY = Buffer.alloc(5 * 1024 * 1024, 'body');

/** A key of its own for each kind of request, so that a finding says where it comes from. */
const keys = new Map<string, Buffer>();

function keyOf(kind: string): Buffer {
  const key = keys.get(kind) ?? createHash('sha256').update(`customer key of ${kind}`).digest();
  keys.set(kind, key);
  return key;
}

const md5Of = (key: Buffer) => createHash('md5').update(key).digest();

const sse = (kind: string) => ({
  SSECustomerAlgorithm: 'AES256',
  SSECustomerKey: keyOf(kind).toString('base64'),
  SSECustomerKeyMD5: md5Of(keyOf(kind)).toString('base64'),
});

const sseHeaders = (kind: string, md5Kind = kind) => ({
  'x-amz-server-side-encryption-customer-algorithm': 'AES256',
  'x-amz-server-side-encryption-customer-key': keyOf(kind).toString('base64'),
  'x-amz-server-side-encryption-customer-key-md5': md5Of(keyOf(md5Kind)).toString('base64'),
});

/** Every form in which a key or its MD5 could lie in memory. */
function needles(): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const [kind, key] of keys) {
    for (const [what, bytes] of [
      ['key', key],
      ['MD5', md5Of(key)],
    ] as const) {
      found.set(`${what} of ${kind}`, bytes);
      for (const encoding of ['base64', 'hex'] as const) {
        const text = bytes.toString(encoding).replace(/=+$/, '');
        found.set(`${what} of ${kind}, ${encoding}`, Buffer.from(text, 'latin1'));
        found.set(`${what} of ${kind}, ${encoding} in UTF-16`, Buffer.from(text, 'utf16le'));
      }
    }
  }
  return found;
}

const named = (bytes: Buffer) => [...needles()].filter(([, needle]) => bytes.includes(needle)).map(([name]) => name);

describe.each(['plain HTTP', 'TLS'])('a second after the last request with a customer key, over %s', (transport) => {
  const secure = transport === 'TLS';
  let minio: Minio;
  let certificate: ServerCertificate;
  let ca: Buffer;
  let gateway: GatewayProcess;
  let client: S3Client;
  let snapshots: string;
  const open: Agent[] = [];

  beforeAll(async () => {
    [minio, certificate, snapshots] = await Promise.all([
      startMinio(),
      makeCertificate(),
      mkdtemp(join(tmpdir(), 'sealgate-snapshot-')),
    ]);
    ca = await readFile(certificate.cert);
    gateway = await startGateway({
      backend: backendSettings(minio),
      more: {
        customerKeys: { overHttp: 'loopback' },
        log: { level: 'trace' },
        ...(secure && { tls: { cert: certificate.cert, key: certificate.key } }),
      },
      env: { NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${snapshots}` },
    });
    client = new S3Client({
      ...clientSettings(gateway),
      ...(secure && {
        endpoint: `https://127.0.0.1:${gateway.port}`,
        requestHandler: { httpsAgent: new TlsAgent({ ca, keepAlive: true }) },
      }),
      maxAttempts: 1,
    });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });

  afterAll(async () => {
    client?.destroy();
    for (const each of open) each.destroy();
    await gateway?.stop();
    await Promise.all([minio?.stop(), certificate?.remove()]);
    if (snapshots !== undefined) await rm(snapshots, { recursive: true, force: true });
  });

  /** Sends a signed request on a connection of its own, which stays open unless `close` is set. */
  async function raw(
    method: string,
    key: string,
    fields: Record<string, string>,
    given: { readonly close?: boolean; readonly body?: string; readonly secretAccessKey?: string } = {},
  ): Promise<number> {
    const { close = false, body = '', secretAccessKey = TENANT.secretAccessKey } = given;
    const host = `127.0.0.1:${gateway.port}`;
    const signing: Signing = { accessKeyId: TENANT.accessKeyId, secretAccessKey, host, date: new Date() };
    const bytes = Buffer.from(body);
    const { target, headers } = await sign(
      { method, path: `/${BUCKET}/${key}`, headers: fields, body: bytes },
      signing,
    );
    const agent = secure ? new TlsAgent({ ca, keepAlive: !close }) : new Agent({ keepAlive: !close });
    open.push(agent);
    const asked: RequestOptions = {
      ...{ host: '127.0.0.1', port: gateway.port, method, path: target, agent },
      headers: { ...Object.fromEntries(headers), 'content-length': String(bytes.length) },
    };
    return new Promise((resolve, reject) => {
      const sent = (secure ? tlsRequest : request)(asked, (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode as number));
      });
      sent.once('error', reject);
      sent.end(bytes);
    });
  }

  /** Its making collects garbage first, so that only what is still held is in it. */
  async function heapSnapshot(): Promise<Buffer> {
    const before = new Set(await readdir(snapshots));
    process.kill(gateway.pid(), 'SIGUSR2');
    let made: string | undefined;
    await expect
      .poll(
        async () => {
          made = (await readdir(snapshots)).find((name) => !before.has(name));
          if (made === undefined) return false;
          const bytes = await readFile(join(snapshots, made));
          return bytes.subarray(-16).toString().trimEnd().endsWith('}');
        },
        { timeout: 60_000, interval: 200 },
      )
      .toBe(true);
    return readFile(join(snapshots, made as string));
  }

  it('every kind of request has had its answer', async () => {
    const object = (Key: string) => ({ Bucket: BUCKET, Key });
    await client.send(new PutObjectCommand({ ...object('put'), Body: BODY, ...sse('put') }));
    expect((await read(client, { ...object('put'), ...sse('put') })).equals(BODY)).toBe(true);
    await client.send(new HeadObjectCommand({ ...object('put'), ...sse('put') }));
    const range = { ...object('put'), Range: 'bytes=100000-300000', ...sse('put') };
    expect(await read(client, range)).toHaveLength(200_001);
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ ...object('parts'), ...sse('parts') }));
    const Parts = [];
    for (const [PartNumber, Body] of [
      [1, BODY],
      [2, Buffer.alloc(1000, 'small')],
    ] as const) {
      const part = { ...object('parts'), UploadId, PartNumber };
      const { ETag } = await client.send(new UploadPartCommand({ ...part, Body, ...sse('parts') }));
      Parts.push({ PartNumber, ETag });
      const other = await refusal(client.send(new UploadPartCommand({ ...part, Body: 'x', ...sse('wrong part') })));
      expect(other).toEqual([400, 'InvalidRequest']);
    }
    const upload = { ...object('parts'), UploadId, MultipartUpload: { Parts } };
    await client.send(new CompleteMultipartUploadCommand(upload));
    await client.send(
      new CopyObjectCommand({
        ...object('copy'),
        CopySource: `${BUCKET}/put`,
        CopySourceSSECustomerAlgorithm: 'AES256',
        CopySourceSSECustomerKey: sse('put').SSECustomerKey,
        CopySourceSSECustomerKeyMD5: sse('put').SSECustomerKeyMD5,
        ...sse('copy'),
      }),
    );
    const wrong = { ...object('put'), ...sse('wrong key') };
    expect(await refusal(read(client, wrong))).toEqual([403, 'AccessDenied']);
    expect(await raw('PUT', 'raw', sseHeaders('connection that stays'), { body: 'raw' })).toBe(200);
    expect(await raw('GET', 'raw', sseHeaders('connection that stays'))).toBe(200);
    expect(await raw('PUT', 'raw', sseHeaders('connection that closed'), { body: 'raw', close: true })).toBe(200);
    expect(await raw('HEAD', 'raw', sseHeaders('wrong key on HEAD'))).toBe(403);
    expect(await raw('PUT', 'raw', sseHeaders('another MD5', 'MD5 of another'), { body: 'raw' })).toBe(400);
    const mixed = { ...sseHeaders('two forms'), 'x-amz-server-side-encryption': 'AES256' };
    expect(await raw('PUT', 'raw', mixed, { body: 'raw' })).toBe(400);
    expect(await raw('GET', 'absent', sseHeaders('absent object'))).toBe(404);
    const forged = { secretAccessKey: 'another secret' };
    expect(await raw('GET', 'raw', sseHeaders('wrong signature'), forged)).toBe(403);
    const inHex = {
      ...sseHeaders('no base64'),
      'x-amz-server-side-encryption-customer-key': keyOf('no base64').toString('hex'),
    };
    expect(await raw('PUT', 'raw', inHex, { body: 'raw' })).toBe(400);
  });

  it('no heap snapshot has one or its MD5', async () => {
    await delay(1000);
    const snapshot = await heapSnapshot();
    expect(snapshot.includes(TENANT.accessKeyId)).toBe(true);
    expect(named(snapshot)).toEqual([]);
  });

  it('and the process has told Linux to write none of its memory into a core file', async () => {
    expect((await readFile(`/proc/${gateway.pid()}/coredump_filter`, 'utf8')).trim()).toBe('00000000');
  });
});
