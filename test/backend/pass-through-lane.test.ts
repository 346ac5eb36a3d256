import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { BackendOptions } from '../../src/backend/connection.ts';
import { type Forwarding, PassThroughLane } from '../../src/backend/pass-through-lane.ts';
import type { GatewayError } from '../../src/errors.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import type { OutgoingRequest } from '../../src/wire/message.ts';
import { backendOptions } from '../support/backend-options.ts';
import { type RawPeer, type RawServer, startRawServer } from '../support/proxies/raw-server.ts';

let backend: RawServer | undefined;
let front: Server | undefined;
let lane: PassThroughLane | undefined;
const settled: string[] = [];

afterEach(async () => {
  settled.length = 0;
  front?.closeAllConnections();
  await new Promise((resolve) => (front === undefined ? resolve(undefined) : front.close(resolve)));
  lane?.close();
  await backend?.stop();
});

const renderError = (error: GatewayError) => ({
  status: error.code === 'AccessDenied' ? 403 : 502,
  headers: new HeaderList(['content-type', 'text/plain', 'x-amz-request-id', 'OURS']),
  body: Buffer.from(`${error.code} ${error.source} ${error.message}`),
});

/** A front that sends every request through the lane, as `forwarded` says. */
async function start(
  script: (peer: RawPeer) => Promise<void>,
  forwarded: Partial<OutgoingRequest> = {},
  over: Partial<BackendOptions> = {},
): Promise<URL> {
  backend = await startRawServer(script);
  lane = new PassThroughLane(backendOptions(backend.url, over));
  const passing = lane;
  front = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.resume(); // the pipeline has verified and taken the body by now
    const pass = passing.forward({
      request: {
        method: 'GET',
        path: '/bucket?tagging',
        headers: new HeaderList(),
        body: undefined,
        idempotent: forwarded.method !== 'POST',
        ...forwarded,
      },
      answerHeaders: new Set(['content-type', 'content-length', 'x-amz-version-id']),
      requestId: 'OURS',
      renderError,
    } satisfies Forwarding);
    pass(request, response).then(
      () => settled.push('resolved'),
      () => settled.push('rejected'),
    );
  });
  front.on('checkContinue', (request, response) => front?.emit('request', request, response));
  await new Promise<void>((resolve) => front?.listen(0, '127.0.0.1', resolve));
  return new URL(`http://127.0.0.1:${(front.address() as AddressInfo).port}/`);
}

function signed(head: string | undefined): boolean {
  return /^authorization: AWS4-HMAC-SHA256 Credential=testbackend\//im.test(head ?? '');
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

describe('the five guards of http-proxy 1.18.1', () => {
  // First, since Node tells of a deprecation once a process.
  test('its use of util._extend is not told of, and what others use is', async () => {
    const told: (string | undefined)[] = [];
    const onWarning = (warning: Error & { code?: string }) => void told.push(warning.code);
    process.on('warning', onWarning);
    try {
      const url = await start(async (peer) => {
        await peer.head();
        peer.write(OK);
      });
      await (await fetch(url)).text();
      const last = new Promise((resolve) => process.once('warning', resolve));
      process.emitWarning('of the test', { type: 'DeprecationWarning', code: 'DEP9999' });
      await last;
    } finally {
      process.off('warning', onWarning);
    }
    expect(told).toContain('DEP9999');
    expect(told).not.toContain('DEP0060');
  });

  test('a request with Expect is signed all the same', async () => {
    const heads: (string | undefined)[] = [];
    const url = await start(async (peer) => {
      heads.push(await peer.head());
      peer.write(OK);
    });
    const socket = connectSocket(Number(url.port), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toContain('hello');
    expect(signed(heads[0])).toBe(true);
    expect(heads[0]?.toLowerCase()).not.toContain('expect');
  });

  test('double slashes and dots in the path go out as they are', async () => {
    let head: string | undefined;
    const path = '/bucket//a///../b/%2F//c?tagging=&x=%2F%2F//';
    const url = await start(
      async (peer) => {
        head = await peer.head();
        peer.write(OK);
      },
      { path },
    );
    await (await fetch(url)).text();
    expect(head?.split('\r\n')[0]).toBe(`GET ${path} HTTP/1.1`);
  });

  test('duplicate headers and their case survive', async () => {
    let head: string | undefined;
    const headers = new HeaderList(['X-Amz-Thing', 'one', 'x-Other', '\xe4', 'x-amz-thing', 'two']);
    const url = await start(
      async (peer) => {
        head = await peer.head();
        peer.write(OK);
      },
      { headers },
    );
    await (await fetch(url, { headers: { 'x-of-the-client': 'must not pass by itself' } })).text();
    expect(head?.match(/^x-amz-thing: .*$/gim)).toEqual(['X-Amz-Thing: one', 'X-Amz-Thing: two']);
    expect(head).toContain('x-Other: \xe4');
    expect(head).not.toContain('x-of-the-client');
    expect(head).toMatch(/SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-thing,/);
  });

  test.each([
    ['in the middle of an answer', 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nhello'],
    ['before the answer came', ''],
  ])(
    'an aborted client closes its upstream exchange (%s)',
    async (_when, answer) => {
      const asked = Promise.withResolvers<void>();
      const closed = Promise.withResolvers<void>();
      const url = await start(async (peer) => {
        await peer.head();
        peer.write(answer);
        asked.resolve();
        await peer.closed;
        closed.resolve();
      });
      const controller = new AbortController();
      const reading = fetch(url, { signal: controller.signal }).then((response) => response.text());
      await asked.promise;
      await new Promise((resolve) => setTimeout(resolve, 20));
      controller.abort();
      await expect(reading).rejects.toThrow();
      await closed.promise;
      await expect.poll(() => settled).toEqual(['resolved']);
    },
    5_000,
  );
});

describe('requests', () => {
  test('a body waits for the signature, also behind busy connections', async () => {
    const bodies: string[] = [];
    let unsigned = 0;
    const body = Buffer.from('<Tagging/>');
    const url = await start(
      async (peer) => {
        for (let head = await peer.head(); head !== undefined; head = await peer.head()) {
          if (!signed(head)) unsigned++;
          expect(head.toLowerCase()).toContain('content-length: 10');
          bodies.push((await peer.bytes(10)).toString());
          await new Promise((resolve) => setTimeout(resolve, 10));
          peer.write(OK);
        }
      },
      { method: 'PUT', body },
      { connections: 1 },
    );
    await Promise.all([1, 2, 3].map(async () => (await fetch(url)).text()));
    expect(bodies).toEqual(['<Tagging/>', '<Tagging/>', '<Tagging/>']);
    expect(unsigned).toBe(0);
    expect(backend?.accepted).toBe(1);
  }, 5_000);

  test('a PUT without a body says so', async () => {
    let head: string | undefined;
    const url = await start(
      async (peer) => {
        head = await peer.head();
        peer.write(OK);
      },
      { method: 'PUT' },
    );
    await (await fetch(url)).text();
    expect(head?.toLowerCase()).toContain('content-length: 0');
    expect(head?.toLowerCase()).not.toContain('transfer-encoding');
  });

  test('a kept connection that died is replaced once', async () => {
    const url = await start(async (peer) => {
      await peer.head();
      peer.write(OK);
      await peer.head();
      peer.reset();
    });
    for (let round = 0; round < 3; round++) expect(await (await fetch(url)).text()).toBe('hello');
  });
});

describe('answers', () => {
  test("what the operation's list does not name stays behind, and the gateway's request id comes forth", async () => {
    const url = await start(async (peer) => {
      await peer.head();
      peer.write(
        'HTTP/1.1 200 OK\r\nServer: MinIO\r\nX-Amz-Request-Id: THEIRS\r\nX-Amz-Id-2: h\r\nX-Minio-Deployment-Id: d\r\n' +
          'Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nx-amz-version-id: v2\r\nSet-Cookie: session=1\r\nRefresh: 0; url=/x\r\n' +
          'Location: http://10.0.0.1/\r\nX-Unheard-Of: 1\r\nContent-Type: application/xml\r\n' +
          'Content-Length: 5\r\n\r\nhello',
      );
    });
    const response = await fetch(url);
    expect(response.headers.get('x-amz-request-id')).toBe('OURS');
    expect(response.headers.get('x-amz-version-id')).toBe('v2');
    expect(response.headers.get('content-type')).toBe('application/xml');
    expect(response.headers.get('date')).not.toContain('1970');
    const own = [
      'connection',
      'content-length',
      'content-type',
      'date',
      'keep-alive',
      'x-amz-request-id',
      'x-amz-version-id',
    ];
    expect([...response.headers.keys()].sort()).toEqual(own);
    expect(await response.text()).toBe('hello');
  });

  test.each([
    ['SignatureDoesNotMatch', 403, 502, 'BackendError backend'],
    ['InvalidAccessKeyId', 403, 502, 'BackendError backend'],
    ['AccessDenied', 403, 403, 'AccessDenied backend'],
    ['SlowDown', 503, 502, 'SlowDown backend'],
    ['NoSuchTagSet', 404, 502, 'BackendRefused backend'],
  ])("the backend's %s is told anew", async (code, status, clientStatus, said) => {
    const url = await start(async (peer) => {
      await peer.head();
      const body =
        `<Error><Code>${code}</Code><Message>m</Message><AWSAccessKeyId>testbackend</AWSAccessKeyId>` +
        '<RequestId>THEIRS</RequestId></Error>';
      peer.write(`HTTP/1.1 ${status} X\r\nX-Amz-Request-Id: THEIRS\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    const response = await fetch(url);
    const text = await response.text();
    expect(response.status).toBe(clientStatus);
    expect(text).toContain(said);
    expect(text).not.toMatch(/THEIRS|testbackend/);
    expect(response.headers.get('x-amz-request-id')).toBe('OURS');
  });

  test.each([301, 304, 307])('%d, which nobody gave a reason to, is no answer', async (status) => {
    const url = await start(async (peer) => {
      await peer.head();
      peer.write(`HTTP/1.1 ${status} X\r\nLocation: http://10.0.0.1/\r\nETag: "x"\r\nContent-Length: 0\r\n\r\n`);
    });
    const response = await fetch(url, { redirect: 'manual' });
    expect(response.status).toBe(502);
    expect(response.headers.has('location')).toBe(false);
    expect(await response.text()).toContain(`BackendError backend The backend answered ${status}`);
  });

  test('an answer cut in the middle never looks whole', async () => {
    const url = await start(async (peer) => {
      await peer.head();
      peer.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
      setTimeout(() => peer.reset(), 20);
    });
    const response = await fetch(url);
    await expect(response.text()).rejects.toThrow();
    await expect.poll(() => settled).toEqual(['resolved']);
  });

  test('no backend, and a silent one', async () => {
    const url = await start(async (peer) => void (await peer.head()), {}, { headersTimeoutSeconds: 0.2 });
    expect(await (await fetch(url)).text()).toContain('BackendUnavailable backend');
    await backend?.stop();
    expect(await (await fetch(url)).text()).toContain('BackendUnavailable backend');
  });
});
