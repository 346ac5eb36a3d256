import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { TrustedProxies } from '../../src/server/trusted-proxies.ts';
import { answer, echo, Listening, type TestHandle } from './listening.ts';
import { RawClient } from './raw-client.ts';

let tls: { readonly cert: string; readonly key: string };

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-tls-'));
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key', '-out', 'cert'];
  execFileSync('openssl', ['req', '-x509', ...key, '-days', '2', '-subj', '/CN=localhost'], {
    cwd: folder,
    stdio: 'ignore',
  });
  tls = { cert: readFileSync(join(folder, 'cert'), 'utf8'), key: readFileSync(join(folder, 'key'), 'utf8') };
  rmSync(folder, { recursive: true });
});

interface Exchanged {
  readonly status: number;
  readonly body: Buffer;
}

function exchange(port: number, method: string, body?: Buffer, headers = {}): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    const server = { port, path: '/o', host: '127.0.0.1', ca: tls.cert, rejectUnauthorized: false };
    const outgoing = request({ ...server, method, headers });
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function streaming(bytes: number, fail: boolean): TestHandle {
  return async () =>
    answer(
      200,
      (async function* () {
        const chunk = Buffer.alloc(100_000, 'y');
        for (let sent = 0; sent < bytes; sent += chunk.length) yield chunk;
        if (fail) throw new Error('tag');
      })(),
      [['Content-Length', String(fail ? bytes + 1 : bytes)]],
    );
}

describe('over TLS', () => {
  it('requests are marked secure, and bodies arrive whole', async () => {
    let client: unknown;
    await using server = await Listening.start(
      async (wire, trace) => {
        client = wire.client;
        return echo(wire, trace);
      },
      { tls },
    );
    const { status, body } = await exchange(server.port, 'PUT', Buffer.alloc(5_000_001, 'x'));
    expect(status).toBe(200);
    expect(body.toString()).toContain('PUT /o 5000001:xxx');
    expect(client).toEqual({ address: '127.0.0.1', secure: true, tls: '1.3' });
  });

  it('the version that a client has to a proxy is not known, and that of the proxy’s own connection does not count', async () => {
    let client: unknown;
    await using server = await Listening.start(
      async (wire) => {
        client = wire.client;
        return answer(200, 'ok');
      },
      { tls, proxies: new TrustedProxies(['127.0.0.1']) },
    );
    const forwarded = { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https' };
    await exchange(server.port, 'GET', undefined, forwarded);
    expect(client).toEqual({ address: '203.0.113.9', secure: true });
  });

  it('a target with bytes past ASCII is read as its percent-encoded form, and the next request as ever', async () => {
    await using server = await Listening.start(echo, { tls });
    const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.write(Buffer.from('PUT /\xc3\xbc HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello', 'latin1'));
    await expect.poll(() => text).toContain('PUT /%C3%BC 5:hello');
    socket.end('GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await expect.poll(() => text).toContain('GET /next 0:');
    socket.destroy();
  });

  it('answers stream whole', async () => {
    await using server = await Listening.start(streaming(20_000_000, false), { tls });
    const { body } = await exchange(server.port, 'GET');
    expect(body.length).toBe(20_000_000);
    expect(body.every((byte) => byte === 0x79)).toBe(true);
  });

  it('a body that throws breaks the connection', async () => {
    await using server = await Listening.start(streaming(1_000_000, true), { tls });
    await expect(exchange(server.port, 'GET')).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('an early refusal reaches a client that goes on sending', async () => {
    await using server = await Listening.start(async () => answer(403, 'no'), { tls });
    const { status } = await exchange(server.port, 'PUT', Buffer.alloc(3_000_000));
    expect(status).toBe(403);
  });

  it('a reader that stops is cut', async () => {
    await using server = await Listening.start(streaming(2 ** 40, false), { tls, limits: { idleSeconds: 0.3 } });
    const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('error', () => undefined);
    socket.write('GET /o HTTP/1.1\r\nHost: a\r\n\r\n');
    socket.pause();
    expect(await server.record()).toMatchObject({ outcome: 'client-gone', errorCode: 'RequestTimeout' });
    socket.destroy();
  });

  it('a handshake that never comes is cut in time, and does not hold up a shutdown', async () => {
    await using server = await Listening.start(echo, { tls, limits: { headerSeconds: 0.3 } });
    await using silent = await RawClient.open(server.port);
    expect((await silent.closed()).statuses).toEqual([]);
    await using another = await RawClient.open(server.port);
    expect(await server.listener.close({ graceSeconds: 0.1 })).toBe(0);
    await another.closed();
  });

  it('plain HTTP is not answered', async () => {
    await using server = await Listening.start(echo, { tls });
    await using client = await RawClient.open(server.port);
    expect((await client.send('GET /o HTTP/1.1\r\nHost: a\r\n\r\n').closed()).statuses).toEqual([]);
    expect(server.records).toEqual([]);
  });
});
