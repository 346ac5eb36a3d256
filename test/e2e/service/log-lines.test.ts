import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  GetObjectCommand,
  GetObjectTorrentCommand,
  PutBucketLoggingCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayProcess, startGateway, TENANT } from '../../support/servers/gateway.ts';
import { clientSettings } from '../../support/servers/stand.ts';

/** Refuses every PUT in words of its own; otherwise it is there and holds nothing. */
const backend: Server = createServer((request, response) => {
  request.resume().on('end', () => {
    if (request.method === 'PUT') {
      response.writeHead(400).end('<Error><Code>StrangeRule</Code><Message>Not on Mondays.</Message></Error>');
    } else response.writeHead(request.url === '/' ? 200 : 404).end();
  });
});

let gateway: GatewayProcess;
let client: S3Client;

beforeAll(async () => {
  await once(backend.listen(0, '127.0.0.1'), 'listening');
  const { port } = backend.address() as AddressInfo;
  gateway = await startGateway({
    backend: { endpoint: `http://127.0.0.1:${port}`, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } },
    more: { trustedProxies: ['127.0.0.1'] },
  });
  client = new S3Client({ ...clientSettings(gateway), maxAttempts: 1 });
  // As a proxy would: it adds what it saw to what the client claimed.
  client.middlewareStack.add(
    (next) => async (args) => {
      (args.request as { headers: Record<string, string> }).headers['x-forwarded-for'] = '198.51.100.1, 203.0.113.9';
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low', name: 'proxy' },
  );
});
afterAll(async () => {
  client?.destroy();
  await gateway?.stop();
  backend.close();
});

/** The line of the request that `ask` makes, when it is there. */
async function lineOf(ask: () => Promise<unknown>): Promise<Record<string, unknown>> {
  const before = requestLines().length;
  await ask().catch(() => undefined);
  for (;;) {
    const [line] = requestLines().slice(before);
    if (line !== undefined) return line;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function requestLines(): Record<string, unknown>[] {
  const whole = gateway.output().split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
}

const KNOWN = { client: '203.0.113.9', tenant: TENANT.name, bucket: 'acme-b', worker: 1 };

describe('the start', () => {
  it.each([
    ['an absent backend', 'http://127.0.0.1:1', /ECONNREFUSED/],
    ['a backend that does not take the gateway’s credentials', undefined, /own credentials/],
  ])('tells of %s, and goes on', async (_what, endpoint, cause) => {
    const refusing = createServer((_request, response) => {
      response.writeHead(403).end('<Error><Code>InvalidAccessKeyId</Code><Message>Nobody.</Message></Error>');
    });
    await once(refusing.listen(0, '127.0.0.1'), 'listening');
    const own = `http://127.0.0.1:${(refusing.address() as AddressInfo).port}`;
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const started = await startGateway({
      backend: { endpoint: endpoint ?? own, credentials },
      readyWith: 503,
    });
    try {
      const warning = await told(started, 'the backend does not serve the gateway');
      expect(warning).toMatchObject({ level: 'warn', dependency: 'backend', worker: 1 });
      expect(warning.cause).toMatch(cause);
      if (endpoint === undefined) return;
      expect(await told(started, 'the backend is away')).toMatchObject({ dependency: 'backend', reason: 'connect' });
      expect(started.output().match(/the backend is away/g)).toHaveLength(1);
    } finally {
      await started.stop();
      refusing.close();
    }
  });
});

async function told(process: GatewayProcess, msg: string): Promise<Record<string, unknown>> {
  for (;;) {
    const whole = process.output().split('\n').slice(0, -1);
    const found = whole.map((line) => JSON.parse(line)).find((line) => line.msg === msg);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('the line of a request', () => {
  it('that the backend refuses tells its code and words', async () => {
    const put = new PutObjectCommand({ Bucket: 'acme-b', Key: 'invoices/4711.pdf', Body: 'x' });
    const line = await lineOf(() => client.send(put));
    expect(line).toMatchObject({
      ...KNOWN,
      operation: 'PutObject',
      accessKeyId: TENANT.accessKeyId,
      status: 400,
      errorCode: 'BackendRefused',
      backendStatus: 400,
      backendCode: 'StrangeRule',
      cause: expect.stringContaining('Not on Mondays.'),
    });
    expect(line.keyHash).toMatch(/^[0-9a-f]{24}$/);
    expect(gateway.output()).not.toContain('4711');
  });

  it('has the hash of its key, which the command line tells', async () => {
    const line = await lineOf(() => client.send(new GetObjectCommand({ Bucket: 'acme-b', Key: 'a/ä.txt' })));
    expect(line).toMatchObject({ ...KNOWN, operation: 'GetObject', status: 404 });
    const told = await gateway.command(['log', 'hash', 'a/ä.txt']);
    expect(told).toMatchObject({ code: 0, stdout: `${line.keyHash}\n` });
  });

  it.each([
    ['of an object', new GetObjectTorrentCommand({ Bucket: 'acme-b', Key: 'k' }), 'GetObjectTorrent'],
    ['of a bucket', new PutBucketLoggingCommand({ Bucket: 'acme-b', BucketLoggingStatus: {} }), 'PutBucketLogging'],
  ])('that is not implemented, %s, tells whose it was and what', async (_what, command, operation) => {
    const line = await lineOf(() => client.send(command as GetObjectCommand));
    expect(line).toMatchObject({ ...KNOWN, operation, status: 501, errorCode: 'NotImplemented' });
    expect(line.keyHash !== undefined).toBe(operation === 'GetObjectTorrent');
  });

  it('of no operation at all tells the method, and no tenant that nobody proved', async () => {
    const line = await lineOf(() => fetch(`${gateway.endpoint}/acme-b/k?what`, { method: 'PATCH' }));
    expect(line).toMatchObject({ client: '127.0.0.1', bucket: 'acme-b', method: 'PATCH', status: 405 });
    expect(line).not.toHaveProperty('tenant');
    const forged = `AWS4-HMAC-SHA256 Credential=${TENANT.accessKeyId}/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
    const headers = { authorization: forged, 'x-amz-date': '20260101T000000Z' };
    const other = await lineOf(() => fetch(`${gateway.endpoint}/acme-b/k?torrent`, { headers }));
    expect(other).toMatchObject({ operation: 'GetObjectTorrent', status: 501 });
    expect(other).not.toHaveProperty('tenant');
  });
});
