import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { echo, Listening } from './listening.ts';

/**
 * Two readers that disagree about where a request ends are what smuggling lives on. Every case must be refused with
 * exactly this status, must close the connection, and must never show the request hidden behind it to the handler.
 */
const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n';
const put = (fields: string, body: string) => `PUT /seen HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}${HIDDEN}`;

const REFUSED: readonly (readonly [name: string, bytes: string, status: number])[] = [
  ['length and chunked', put('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400],
  ['chunked and length', put('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'), 400],
  ['two equal lengths', put('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'), 400],
  ['two different lengths', put('Content-Length: 5\r\nContent-Length: 0\r\n', 'hello'), 400],
  ['a list of lengths', put('Content-Length: 5, 5\r\n', 'hello'), 400],
  ['a signed length', put('Content-Length: +5\r\n', 'hello'), 400],
  ['a negative length', put('Content-Length: -1\r\n', ''), 400],
  ['a hexadecimal length', put('Content-Length: 0x5\r\n', 'hello'), 400],
  ['an empty length', put('Content-Length: \r\n', ''), 400],
  ['a length past 64 bits', put('Content-Length: 18446744073709551621\r\n', 'hello'), 400],
  ['a blank before the colon', put('Content-Length : 5\r\n', 'hello'), 400],
  ['another coding', put('Transfer-Encoding: gzip\r\n', 'hello'), 400],
  ['a coding before chunked', put('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 400],
  ['a coding after chunked', put('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n'), 400],
  ['identity', put('Transfer-Encoding: identity\r\n', ''), 400],
  ['chunked twice in one field', put('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'), 400],
  [
    'chunked twice in two fields',
    put('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    400,
  ],
  ['a misspelt chunked', put('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'), 400],
  ['an empty coding', put('Transfer-Encoding: \r\n', '0\r\n\r\n'), 400],
  ['a vertical tab before chunked', put('Transfer-Encoding:\x0bchunked\r\n', '0\r\n\r\n'), 400],
  ['chunked with a parameter', put('Transfer-Encoding: chunked;a=b\r\n', '0\r\n\r\n'), 400],
  ['a folded field', put('X-A: a\r\n b\r\nContent-Length: 0\r\n', ''), 400],
  ['a folded coding', put('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'), 400],
  ['a bare LF after the request line', `GET /seen HTTP/1.1\nHost: a\r\n\r\n${HIDDEN}`, 400],
  ['a bare LF after a field', put('X-A: a\nContent-Length: 0\r\n', ''), 400],
  ['a bare LF at the end of the head', `GET /seen HTTP/1.1\r\nHost: a\r\n\n${HIDDEN}`, 400],
  ['a bare CR in a field', put('X-A: a\rContent-Length: 0\r\n', ''), 400],
  ['a NUL in a field', put('X-A: a\0b\r\n', ''), 400],
  ['a blank before the first field', `GET /seen HTTP/1.1\r\n Host: a\r\n\r\n${HIDDEN}`, 400],
  ['a field without a colon', put('X-A\r\n', ''), 400],
  ['chunked in HTTP/1.0', 'PUT /seen HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
  ['no Host', `GET /seen HTTP/1.1\r\n\r\n${HIDDEN}`, 400],
  ['two Hosts', `GET /seen HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${HIDDEN}`, 400],
  ['a blank in the target', `GET /seen x HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`, 400],
  ['bytes past ASCII and a blank in the target', `GET /s\xe9 en HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`, 400],
  ['bytes past ASCII in the method', `G\xe9T /seen HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`, 400],
  ['bytes past ASCII in an absolute target', `GET http://\xe9/seen HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`, 400],
  ['bytes past ASCII behind a bare CR', `GET /\xe9\rX HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`, 400],
  ['bytes past ASCII behind a bare LF', `GET /\xe9\nHost: a\r\n\r\n${HIDDEN}`, 400],
  [
    'bytes past ASCII and two lengths',
    `PUT /\xe9 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nhello${HIDDEN}`,
    400,
  ],
  ['HTTP/2 by prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['an unknown version', `GET /seen HTTP/1.2\r\nHost: a\r\n\r\n${HIDDEN}`, 400],
  ['an unknown method', `SMUGGLE /seen HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`, 400],
  ['CONNECT', `CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`, 405],
  ['OPTIONS of the whole server', `OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n`, 400],
  ['an absolute target of another host', `GET http://b/seen HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`, 400],
  ['an absolute target of another port', `GET http://a:81/seen HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`, 400],
  ['an absolute target with a user', `GET http://b@a/seen HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`, 400],
  ['an absolute target with a user like its Host', `GET http://b@a/ HTTP/1.1\r\nHost: b@a\r\n\r\n${HIDDEN}`, 400],
  ['an absolute target without a host', `GET http:///seen HTTP/1.1\r\nHost: \r\n\r\n${HIDDEN}`, 400],
  ['an absolute target of another scheme', `GET ftp://a/seen HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`, 400],
  ['an absolute target without a Host', `GET http://a/seen HTTP/1.0\r\n\r\n${HIDDEN}`, 400],
  ['an authority as target', `GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n${HIDDEN}`, 400],
  ['an unknown expectation', put('Expect: 200-maybe\r\nContent-Length: 0\r\n', ''), 400],
];

/** Broken only once the body is read: the handler sees the request, its body throws, nothing after it is served. */
const BROKEN_BODIES: readonly (readonly [name: string, body: string])[] = [
  ['a bare LF after a chunk size', '5\nhello\r\n0\r\n\r\n'],
  ['a chunk size that is none', 'zz\r\nhello\r\n0\r\n\r\n'],
  ['a chunk size past 64 bits', '10000000000000005\r\nhello\r\n0\r\n\r\n'],
  ['a chunk size with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['a negative chunk size', '-5\r\nhello\r\n0\r\n\r\n'],
  ['a blank after a chunk size', '5 \r\nhello\r\n0\r\n\r\n'],
  ['a chunk longer than its size', '5\r\nhelloXX\r\n0\r\n\r\n'],
  ['a bare LF after a chunk', '5\r\nhello\n0\r\n\r\n'],
  ['a bare LF after the last chunk', '5\r\nhello\r\n0\n\r\n'],
];

describe('smuggling', () => {
  let server: Listening;
  let seen: string[] = [];

  beforeAll(async () => {
    server = await Listening.start(async (request, trace) => {
      seen.push(request.target.raw);
      return echo(request, trace);
    });
  });

  afterAll(() => server[Symbol.asyncDispose]());

  it.each(REFUSED)('refuses %s', async (_name, bytes, status) => {
    seen = [];
    await using client = await server.open();
    const answer = await client.send(bytes).closed();
    expect(answer.statuses).toEqual([status]);
    expect(answer.text.toLowerCase()).toContain('connection: close');
    expect(answer.reset).toBe(false);
    expect(seen).toEqual([]);
  });

  it.each(BROKEN_BODIES)('ends the body with an error at %s', async (_name, body) => {
    seen = [];
    await using client = await server.open();
    const answer = await client.send(put('Transfer-Encoding: chunked\r\n', body)).closed();
    expect(answer.statuses).toEqual([400]);
    expect(seen).toEqual(['/seen']);
  });

  it('takes an empty list of expectations for none', async () => {
    seen = [];
    await using client = await server.open();
    const answer = await client.send(put('Expect: \r\nConnection: close\r\nContent-Length: 0\r\n', '')).closed();
    expect(answer.statuses.at(0)).toBe(200);
    expect(seen.at(0)).toBe('/seen');
  });

  it('takes chunked in any case, and serves the next request on the connection', async () => {
    seen = [];
    await using client = await server.open();
    client.send(put('Transfer-Encoding: CHUNKED\r\n', '5;name=value\r\nhello\r\n0\r\n\r\n'));
    await client.until('5:hello');
    await client.until('GET /hidden 0:');
    expect(seen).toEqual(['/seen', '/hidden']);
  });

  it('answers what is in flight before it closes over garbage behind it', async () => {
    await using client = await server.open();
    const answer = await client.send('GET /seen HTTP/1.1\r\nHost: a\r\n\r\nGARBAGE\r\n\r\n').closed();
    expect(answer.statuses[0]).toBe(200);
    expect(answer.text).toContain('GET /seen 0:');
  });

  it('takes 500 fields, and refuses one more before it looks at them', async () => {
    const fields = (count: number) => Array.from({ length: count - 1 }, (_, at) => `x-${at}: \r\n`).join('');
    for (const [count, status] of [
      [500, 200],
      [501, 431],
    ] as const) {
      seen = [];
      await using client = await server.open();
      const close = count === 500 ? 'Connection: close\r\n' : 'x-more:\r\n';
      const answer = await client
        .send(`GET /seen HTTP/1.1\r\nHost: a\r\n${fields(count - 1)}${close}\r\n${HIDDEN}`)
        .closed();
      expect(answer.statuses).toEqual([status]);
      expect(seen).toEqual(status === 200 ? ['/seen'] : []);
    }
  });

  it.each([
    ['GET', 'h2c', '', ''],
    ['GET', 'websocket', '', ''],
    ['HEAD', 'TLS/1.2', '', ''],
    ['PUT', 'h2c', 'Content-Length: 5\r\n', 'hello'],
    ['PUT', 'h2c', 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'],
    ['PUT', 'h2c', 'Content-Length: 5\r\nExpect: 100-continue\r\n', 'hello'],
  ])(
    'answers %s with an offer of %s in HTTP/1.1, and takes nothing more on the connection',
    async (method, protocol, fields, body) => {
      seen = [];
      await using client = await server.open();
      const offer = `Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABk\r\n`;
      client.send(`${method} /seen HTTP/1.1\r\nHost: a\r\n${offer}${fields}\r\n${body}${HIDDEN.slice(0, 20)}`);
      const answer = await client.send(HIDDEN.slice(20)).closed();
      expect(answer.statuses.filter((status) => status !== 100)).toEqual([200]);
      expect(answer.text.toLowerCase()).toContain('connection: close');
      if (method === 'PUT') expect(answer.text).toContain('PUT /seen 5:hello');
      expect(seen).toEqual(['/seen']);
    },
  );

  it('reads bytes past ASCII in a target as their percent-encoded form, and what comes before and behind', async () => {
    seen = [];
    await using client = await server.open();
    client.send('GET /before HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until('GET /before 0:');
    client.send('PUT /\xc3\xbc/\xe9?a=\xff HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel');
    client.send('lo');
    await client.until('PUT /%C3%BC/%E9?a=%FF 5:hello');
    client.send(`GET /\xc3\xbc HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`);
    await client.until('GET /%C3%BC 0:');
    await client.until('GET /hidden 0:');
    expect(seen).toEqual(['/before', '/%C3%BC/%E9?a=%FF', '/%C3%BC', '/hidden']);
    expect(server.listener.connectionCount).toBe(1);
  });

  it('refuses bytes past ASCII where others of the connection stand before them', async () => {
    seen = [];
    const accepted = once(server.listener.server, 'connection');
    await using client = await server.open();
    const [socket] = (await accepted) as [Socket];
    client.send('GET /first');
    await expect.poll(() => socket.bytesRead).toBe('GET /first'.length);
    const answer = await client.send(`GET /\xc3\xbc HTTP/1.1\r\nHost: a\r\n\r\n${HIDDEN}`).closed();
    expect([answer.statuses, seen]).toEqual([[400], []]);
  });

  it('serves what comes behind a field Upgrade that Connection does not name', async () => {
    seen = [];
    await using client = await server.open();
    client.send(`GET /seen HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n${HIDDEN}`);
    await client.until('GET /hidden 0:');
    expect(seen).toEqual(['/seen', '/hidden']);
  });

  it.each([
    ['http://a/seen', 'a'],
    ['HTTP://A:80/seen', 'a'],
    ['http://a/seen', 'A:80'],
    ['https://a:443/seen', 'a'],
    ['http://[::1]:9000/seen', '[::1]:9000'],
  ])('takes the absolute target %s at the host %s, and what comes behind it', async (target, host) => {
    seen = [];
    await using client = await server.open();
    client.send(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n${HIDDEN}`);
    await client.until('GET /hidden 0:');
    expect(seen).toEqual([target, '/hidden']);
  });

  it('counts refusals by the parser’s reason', () => {
    expect(server.refusals).toContain('HPE_INVALID_TRANSFER_ENCODING');
    expect(server.refusals).toContain('InvalidRequest');
  });
});
