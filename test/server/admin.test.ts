import { afterEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { type AdminDependency, AdminServer } from '../../src/server/admin/admin.ts';
import { NotReady, Readiness } from '../../src/server/admin/readiness.ts';
import { RawClient } from './raw-client.ts';

let admin: AdminServer | undefined;

async function start(dependencies: readonly AdminDependency[], metrics = async () => 'metrics 1\n'): Promise<string> {
  admin = new AdminServer({ metrics, contentType: 'text/plain; version=0.0.4', dependencies });
  const { port } = await admin.listen({ host: '127.0.0.1', port: 0 });
  return `http://127.0.0.1:${port}`;
}

afterEach(() => admin?.close());

const well: AdminDependency = { name: 'backend', check: async () => undefined };

describe('the admin port', () => {
  it('serves metrics with their content type, and the life of the process', async () => {
    const url = await start([]);
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect(await metrics.text()).toBe('metrics 1\n');
    expect(await (await fetch(`${url}/healthz?x=1`)).text()).toBe('ok\n');
  });

  it.each([
    ['nothing', ''],
    ['half a head', 'GET /metrics HTTP/1.1\r\nHost: a\r\nX-A:'],
    ['a request, and stay', 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('has a place for a probe while hundreds that say %s are connected', async (_what, words) => {
    const url = await start([]);
    const crowd = await Promise.all(Array.from({ length: 200 }, () => RawClient.open(Number(new URL(url).port))));
    for (const client of crowd) client.send(words);
    for (let round = 0; round < 3; round++) {
      const response = await fetch(`${url}/healthz`, { headers: { connection: 'close' } });
      expect(await response.text()).toBe('ok\n');
    }
    const closed = await Promise.all(crowd.slice(0, 100).map((client) => client.closed()));
    expect(closed).toHaveLength(100);
    for (const client of crowd) client.socket.destroy();
  });

  it.each([
    ['GET', '/', 404],
    ['GET', '/metrics/', 404],
    ['POST', '/metrics', 405],
    ['PUT', '/readyz', 405],
    ['OPTIONS', '/healthz', 405],
    ['HEAD', '/metrics', 200],
    ['HEAD', '/readyz', 200],
  ])('answers %s %s with %i', async (method, path, status) => {
    const response = await fetch((await start([well])) + path, { method });
    expect(response.status).toBe(status);
    expect(response.headers.get('allow')).toBe(status === 405 ? 'GET, HEAD' : null);
    if (method === 'HEAD') expect(await response.text()).toBe('');
  });

  it('says 500 when metrics fail, and not why', async () => {
    const url = await start([], () => Promise.reject(new Error('hunter2')));
    const response = await fetch(`${url}/metrics`);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('hunter2');
  });

  it('has a line per dependency, as text and as JSON', async () => {
    const url = await start([
      { name: 'backend', check: async () => '3 of 3' },
      {
        name: 'key store',
        check: () => Promise.reject(new GatewayError('KeyStoreUnavailable', 'x', { source: 'keys' })),
      },
      { name: 'other', check: () => Promise.reject(new Error('redis://user:hunter2@host')) },
      { name: 'workers', check: () => Promise.reject(new NotReady('1 of 2 listen')) },
    ]);
    const text = await fetch(`${url}/readyz`);
    expect(text.status).toBe(503);
    expect((await text.text()).replace(/\d+ ms/g, 'n ms')).toBe(
      'backend: ok (3 of 3), n ms\nkey store: failed (KeyStoreUnavailable), n ms\nother: failed (failed), n ms\n' +
        'workers: failed (1 of 2 listen), n ms\n',
    );
    const json = await fetch(`${url}/readyz`, { headers: { accept: 'application/json' } });
    expect(json.headers.get('content-type')).toBe('application/json');
    expect(await json.json()).toMatchObject({
      ready: false,
      dependencies: [{ name: 'backend', ready: true, detail: '3 of 3' }, { detail: 'KeyStoreUnavailable' }, {}, {}],
    });
  });

  it('is not ready from the moment that the gateway stops', async () => {
    const url = await start([well]);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    admin?.stopping();
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describe('readiness', () => {
  it('asks the dependencies once a second, however often it is asked', async () => {
    let now = 0;
    let asked = 0;
    const check = async () => void asked++;
    const readiness = new Readiness({ dependencies: [{ name: 'backend', check }], clock: () => now });
    await Promise.all([readiness.report(), readiness.report(), readiness.report()]);
    now = 999;
    await readiness.report();
    expect(asked).toBe(1);
    now = 1000;
    await readiness.report();
    expect(asked).toBe(2);
  });

  it('does not wait for ever for a dependency that hangs', async () => {
    const readiness = new Readiness({
      dependencies: [{ name: 'backend', check: () => new Promise(() => undefined) }],
    });
    const report = await readiness.report();
    expect(report).toMatchObject({ ready: false, dependencies: [{ detail: 'no answer in time' }] });
  });
});
