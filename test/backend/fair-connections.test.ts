import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { BackendConnection, type BackendOptions } from '../../src/backend/connection.ts';
import { PassThroughLane } from '../../src/backend/pass-through-lane.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import type { OutgoingBody } from '../../src/wire/message.ts';
import { backendOptions } from '../support/backend-options.ts';
import { type RawPeer, type RawServer, startRawServer } from '../support/proxies/raw-server.ts';

/**
 * One tenant's requests hang in the store and hold all connections that they can get. Another tenant's have theirs, by
 * every way there is to the store.
 */

const CONNECTIONS = 4;
/** One in four is kept for others. */
const HELD = 3;

let server: RawServer | undefined;
let connection: BackendConnection | undefined;
let lane: PassThroughLane | undefined;

afterEach(async () => {
  lane?.close();
  await connection?.destroy();
  await server?.stop();
});

let hanging = 0;

/** Never answers what has /hang in its path. */
async function script(peer: RawPeer): Promise<void> {
  for (let head = await peer.head(); head !== undefined; head = await peer.head()) {
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    if (length !== undefined) await peer.bytes(Number(length));
    if (head.includes('/hang')) {
      hanging++;
      await peer.closed;
    } else peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  }
}

async function start(): Promise<BackendOptions> {
  hanging = 0;
  server = await startRawServer(script);
  return backendOptions(server.url, { connections: CONNECTIONS, headersTimeoutSeconds: 60 });
}

const sharer = (tenant: string) => ({ tenant, client: '192.0.2.1' });

function streamed(bytes: number): OutgoingBody {
  async function* source() {
    yield Buffer.alloc(bytes);
  }
  return { bytes, source: source() };
}

describe('one tenant’s hanging requests leave another its connections', () => {
  test.each<[string, string, () => OutgoingBody | undefined]>([
    ['downloads', 'GET', () => undefined],
    ['small uploads', 'PUT', () => Buffer.alloc(100)],
    ['large uploads', 'PUT', () => streamed(300_000)],
    ['everything else', 'HEAD', () => undefined],
  ])('%s', async (_kind, method, body) => {
    const backend = new BackendConnection(await start());
    connection = backend;
    const ask = (tenant: string, path: string, signal?: AbortSignal) =>
      backend.send(
        { method, path, headers: new HeaderList(), body: body(), idempotent: true },
        { sharer: sharer(tenant), signal },
      );
    const over = new AbortController();
    const asked = Array.from({ length: 10 }, () => ask('a', '/b/hang', over.signal).then(String, String));
    await expect.poll(() => hanging).toBe(HELD);
    await expect.poll(() => backend.waiting).toBe(10 - HELD);
    for (let round = 0; round < 5; round++) {
      const response = await ask('b', '/b/k');
      expect(response.status).toBe(200);
      for await (const _ of response.body);
    }
    expect(hanging).toBe(HELD);
    over.abort();
    await Promise.all(asked);
    expect(backend.waiting).toBe(0);
    // What was held is free again.
    const after = Array.from({ length: 10 }, () => ask('a', '/b/k').then((response) => response.discard()));
    await Promise.all(after);
  });

  test('what is passed through', async () => {
    const passing = new PassThroughLane(await start());
    lane = passing;
    const front = createServer((request, response) => {
      const tenant = request.url === '/hang' ? 'a' : 'b';
      const outgoing = { method: 'GET', path: request.url ?? '', headers: new HeaderList() };
      const forwarded = passing.forward({
        request: { ...outgoing, body: undefined, idempotent: true },
        answerHeaders: new Set(['content-length']),
        sharer: sharer(tenant),
        requestId: 'ID',
        renderError: () => ({ status: 502, headers: new HeaderList(), body: undefined }),
      });
      void forwarded(request, response);
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
    const over = new AbortController();
    const asked = Array.from({ length: 10 }, () => fetch(`${url}/hang`, { signal: over.signal }).catch(() => 'over'));
    await expect.poll(() => hanging).toBe(HELD);
    await expect.poll(() => passing.waiting).toBe(10 - HELD);
    for (let round = 0; round < 5; round++) expect((await fetch(`${url}/k`)).status).toBe(200);
    expect(hanging).toBe(HELD);
    over.abort();
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['over']));
    await expect.poll(() => passing.waiting).toBe(0);
    front.closeAllConnections();
    await new Promise((resolve) => front.close(resolve));
  });
});
