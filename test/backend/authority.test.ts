import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createFront } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, LookupFunction } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BackendConnection, type BackendOptions } from '../../src/backend/connection.ts';
import { PassThroughLane } from '../../src/backend/pass-through-lane.ts';
import type { BackendDialect } from '../../src/dialects/backend-dialect.ts';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import type { OutgoingRequest } from '../../src/wire/message.ts';
import { backendOptions } from '../support/backend-options.ts';
import { makeCertificate, type ServerCertificate } from '../support/certificate.ts';

/** Where requests go whose dialect gives every bucket a host of its own: to that host, by every road. */

const ownHosts: BackendDialect = {
  ...s3Back,
  authorityOf: (endpoint, bucket) => (bucket === undefined ? endpoint.host : `${bucket}.${endpoint.host}`),
};

let certificate: ServerCertificate;
let server: Server;
let port: number;
let options: Partial<BackendOptions>;
/** Of each request: the name in TLS, the Host header, and whether the signature covers it. */
const heard: string[] = [];

beforeAll(async () => {
  certificate = await makeCertificate();
  const cert = await readFile(certificate.cert);
  server = createServer({ key: await readFile(certificate.key), cert }, (request, response) => {
    const { servername } = request.socket as TLSSocket & { servername: string };
    const signs = /SignedHeaders=[a-z0-9;-]*\bhost\b/.test(request.headers.authorization ?? '');
    heard.push(`${request.method} ${servername} ${request.headers.host} ${signs}`);
    request.resume().on('end', () => response.setHeader('etag', '"e"').end('whole'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
  options = { dialect: ownHosts, tls: { ca: cert }, lookup: everyNameIsHere, retries: 0 };
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await certificate.remove();
});

beforeEach(() => {
  heard.length = 0;
});

const everyNameIsHere: LookupFunction = (_name, { all }, found) => {
  if (all === true) found(null, [{ address: '127.0.0.1', family: 4 }]);
  else found(null, '127.0.0.1', 4);
};

function connect(over: Partial<BackendOptions> = {}): BackendConnection {
  const connection = new BackendConnection(backendOptions(`https://s3.test:${port}`, { ...options, ...over }));
  onTestFinished(() => connection.destroy());
  return connection;
}

function asked(bucket: string | undefined, over: Partial<OutgoingRequest> = {}): OutgoingRequest {
  return { method: 'GET', bucket, path: '/key', headers: new HeaderList(), body: undefined, idempotent: true, ...over };
}

async function ask(connection: BackendConnection, request: OutgoingRequest, aside = false): Promise<void> {
  const { status, body } = await connection.send(request, { aside });
  expect(status).toBe(200);
  for await (const _ of body);
}

const ROADS: Record<
  string,
  { readonly method: string; readonly aside?: boolean; readonly body?: () => OutgoingRequest['body'] }
> = {
  'a download': { method: 'GET' },
  'a small answer': { method: 'GET', aside: true },
  'a head': { method: 'HEAD' },
  'a small upload': { method: 'PUT', body: () => Buffer.alloc(10) },
  'a streamed upload': { method: 'PUT', body: () => ({ bytes: 300_000, source: zeros(3) }) },
  'a document': { method: 'POST', body: () => Buffer.alloc(10) },
};

async function* zeros(pieces: number): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; at < pieces; at++) yield Buffer.alloc(100_000); // over TLS the answer comes before node tells that the last one is out
}

describe.each(Object.entries(ROADS))('%s', (_, { method, aside, body }) => {
  test('goes to the host of its bucket, whose name TLS hears, and never over a connection to another', async () => {
    const connection = connect();
    for (const bucket of ['one', 'two', 'one', undefined]) {
      await ask(connection, asked(bucket, { method, body: body?.() }), aside);
    }
    const at = (host: string) => `${method} ${host} ${host}:${port} true`;
    expect(heard).toEqual([at('one.s3.test'), at('two.s3.test'), at('one.s3.test'), at('s3.test')]);
  });

  test('goes to the endpoint where paths begin with the bucket', async () => {
    const connection = connect({ dialect: s3Back });
    for (const bucket of ['one', 'two']) await ask(connection, asked(bucket, { method, body: body?.() }), aside);
    expect(heard).toEqual(Array(2).fill(`${method} s3.test s3.test:${port} true`));
  });
});

test.each(['GET', 'PUT'])('%s: connections to many hosts are no more than are allowed', async (method) => {
  let most = 0;
  const observer = {
    answered() {},
    failed() {},
    retried() {},
    connections: (open: number) => (most = Math.max(most, open)),
  };
  const connection = connect({ connections: 2, observer });
  const body = method === 'PUT' ? Buffer.alloc(10) : undefined;
  for (let at = 0; at < 12; at++) await ask(connection, asked(`b${at % 6}`, { method, body }));
  expect(heard).toHaveLength(12);
  // One may still be closing while another opens.
  expect(most).toBeLessThanOrEqual(3);
});

test('a certificate for another bucket’s host is refused', async () => {
  await expect(connect().send(asked('not.covered'))).rejects.toMatchObject({ code: 'BackendUnavailable' });
  expect(heard).toEqual([]);
});

test('a forwarded request goes there too, whatever host its client named', async () => {
  const lane = new PassThroughLane(backendOptions(`https://s3.test:${port}`, options));
  onTestFinished(() => lane.close());
  const front = createFront((request: IncomingMessage, response: ServerResponse) => {
    const bucket = request.url === '/' ? undefined : request.url?.slice(1);
    const renderError = () => ({ status: 502, headers: new HeaderList(), body: undefined });
    const forwarded = { request: asked(bucket), answerHeaders: new Set<string>(), requestId: 'r', renderError };
    void lane.forward(forwarded)(request.resume(), response);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void front.close());
  for (const bucket of ['one', 'two', '']) {
    const answer = await fetch(`http://127.0.0.1:${(front.address() as AddressInfo).port}/${bucket}`);
    expect([answer.status, await answer.text()]).toEqual([200, 'whole']);
  }
  const at = (host: string) => `GET ${host} ${host}:${port} true`;
  expect(heard).toEqual([at('one.s3.test'), at('two.s3.test'), at('s3.test')]);
});
