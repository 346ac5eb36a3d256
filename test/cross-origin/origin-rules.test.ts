import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BackendConnection } from '../../src/backend/connection.ts';
import { OriginRules } from '../../src/cross-origin/origin-rules.ts';
import { s3Back } from '../../src/dialects/s3/back/back.ts';
import { Store } from '../../src/store/store.ts';
import { HeaderList } from '../../src/wire/headers.ts';
import { refusalOf } from '../pipeline/in-process.ts';
import { backendOptions } from '../support/backend-options.ts';
import { openTenancy } from '../tenants/fixture.ts';

const ORIGIN = 'https://app.example.com';

interface Asked {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

type Say = (asked: Asked) => readonly [status: number, headers: Record<string, string>] | undefined;

/** As a store with rules by bucket says on a preflight, or as MinIO does on anything else. */
const RULES = { 'Access-Control-Allow-Origin': ORIGIN, 'Access-Control-Expose-Headers': 'ETag', Vary: 'Origin' };

let asked: Asked[];
let say: Say;
let now: number;
let rules: OriginRules;
let end: () => Promise<void>;

beforeEach(async () => {
  asked = [];
  say = () => [200, { ...RULES, 'Set-Cookie': 'a=b' }];
  now = Date.parse('2026-01-02T03:04:05Z');
  const server = createServer((request, response) => {
    const seen = { method: request.method ?? '', target: request.url ?? '', headers: request.headers };
    asked.push(seen);
    const answer = say(seen);
    if (answer !== undefined) response.writeHead(answer[0], { ...answer[1], 'Content-Length': '0' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const connection = new BackendConnection(backendOptions(`http://127.0.0.1:${port}`, { retries: 0, connections: 64 }));
  const { administration, directory } = await openTenancy();
  await administration.addTenant({ name: 'acme', buckets: ['acme-*'] });
  rules = new OriginRules({
    store: new Store(s3Back, connection),
    directory,
    stagingBucket: 'acme-staging',
    now: () => new Date(now),
  });
  end = async () => {
    await connection.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
});

afterEach(() => end());

const ask = (over: { origin?: string; bucket?: string; method?: string } = {}) =>
  rules.answerTo({ origin: ORIGIN, bucket: 'acme-a', method: 'PUT', ...over });
const raw = async (answer: Promise<HeaderList>) => Object.fromEntries(await answer);

describe('what the store says on answers', () => {
  it('is asked for once by bucket, origin and method, by nobody', async () => {
    expect(await raw(ask())).toEqual(RULES);
    await Promise.all([ask(), ask(), ask()]);
    expect(asked).toHaveLength(1);
    expect([asked[0]?.method, asked[0]?.target]).toEqual(['OPTIONS', '/acme-a']);
    expect(asked[0]?.headers).toMatchObject({ origin: ORIGIN, 'access-control-request-method': 'PUT' });
    expect(asked[0]?.headers.authorization).toBeUndefined();
    await Promise.all([ask({ method: 'GET' }), ask({ bucket: 'acme-b' }), ask({ origin: 'https://b.example' })]);
    expect(asked).toHaveLength(4);
  });

  it('is forgotten after five seconds, and when rules change', async () => {
    await ask();
    now += 4_999;
    await ask();
    expect(asked).toHaveLength(1);
    now += 1;
    await ask();
    expect(asked).toHaveLength(2);
    rules.forget();
    await ask();
    expect(asked).toHaveLength(3);
  });

  it('is nothing where the store refuses, and asked for again a second later', async () => {
    say = () => [403, RULES];
    expect(await raw(ask())).toEqual({});
    expect(await raw(ask())).toEqual({});
    expect(asked).toHaveLength(1);
    now += 1_000;
    say = () => [200, RULES];
    expect(await raw(ask())).toEqual(RULES);
  });

  it('is what it says to a request that is no preflight, where preflights do not tell what may be read', async () => {
    const { 'Access-Control-Expose-Headers': _, ...silent } = RULES;
    say = ({ headers }) => [200, headers['access-control-request-method'] === undefined ? RULES : silent];
    expect(await raw(ask())).toEqual(RULES);
    // Rules by bucket that expose nothing: the store refuses the second question.
    say = ({ headers }) => (headers['access-control-request-method'] === undefined ? [400, RULES] : [200, silent]);
    expect(await raw(ask({ bucket: 'acme-b' }))).toEqual(silent);
    // And a method that the rules do not allow is not asked about in another way.
    say = ({ headers }) => (headers['access-control-request-method'] === undefined ? [200, RULES] : [204, {}]);
    expect(await raw(ask({ bucket: 'acme-c' }))).toEqual({});
  });

  it('is asked of the service where the bucket is no tenant’s, or the gateway’s own', async () => {
    for (const bucket of ['nobodys', 'acme-staging', 'minio']) await ask({ bucket });
    await rules.answerTo({ origin: ORIGIN, bucket: undefined, method: 'GET' });
    expect(asked.map(({ target }) => target)).toEqual(['/', '/', '/', '/']);
  });

  it('is not waited for when the store does not answer', { timeout: 10_000 }, async () => {
    say = () => undefined;
    const began = performance.now();
    expect(await raw(ask())).toEqual({});
    expect(performance.now() - began).toBeLessThan(4_000);
  });

  it('is not asked for more than 32 at once, nor for an origin that is none', async () => {
    say = () => undefined;
    const many = Array.from({ length: 100 }, (_, at) => ask({ origin: `https://${at}.example` }));
    const answers = await Promise.all(many);
    expect(answers.every((answer) => answer.size === 0)).toBe(true);
    expect(asked).toHaveLength(32);
    say = () => [200, RULES];
    expect(await raw(ask({ origin: `https://${'a'.repeat(400)}` }))).toEqual({});
    expect(asked).toHaveLength(32);
    expect(await raw(ask())).toEqual(RULES);
  });
});

describe('a preflight', () => {
  const preflight = (resource: object) =>
    rules.preflight(
      resource,
      new HeaderList(['Origin', ORIGIN, 'Access-Control-Request-Method', 'PUT', 'Access-Control-Request-Headers', 'a']),
      new AbortController().signal,
    );

  it('comes back with the store’s status and words, and nothing else of it', async () => {
    say = () => [204, { ...RULES, 'Set-Cookie': 'a=b', Location: '/x' }];
    const { status, headers } = await preflight({ bucket: 'acme-a', key: 'a b/ü' });
    expect([status, Object.fromEntries(headers)]).toEqual([204, RULES]);
    expect(asked[0]?.target).toBe('/acme-a/a%20b/%C3%BC');
    expect(asked[0]?.headers).toMatchObject({ 'access-control-request-headers': 'a' });
    expect(asked[0]?.headers.authorization).toBeUndefined();
    for (const key of ['../minio/admin', '..', 'a/../../b']) await preflight({ bucket: 'acme-a', key });
    expect(asked.slice(1).map(({ target }) => target)).toEqual(['/acme-a', '/acme-a', '/acme-a']);
  });

  it('goes to no bucket but a tenant’s', async () => {
    for (const bucket of ['nobodys', 'acme-staging']) await preflight({ bucket, key: 'k' });
    expect(asked.map(({ target }) => target)).toEqual(['/', '/']);
  });

  it('is refused as the store refuses it', async () => {
    say = () => [403, {}];
    expect(await refusalOf(preflight({ bucket: 'acme-a' }))).toBe('AccessDenied');
    say = () => [302, { Location: 'http://elsewhere.example/' }];
    expect(await refusalOf(preflight({ bucket: 'acme-a' }))).toBe('BackendError');
    say = () => [503, {}];
    expect(await refusalOf(preflight({ bucket: 'acme-a' }))).toBe('BackendUnavailable');
  });
});
