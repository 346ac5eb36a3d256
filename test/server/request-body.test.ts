import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { answer, echo, gate, Listening, type TestHandle } from './listening.ts';

/** Answers with the code that the body threw, as a dialect's error answer would. */
const tell: TestHandle = async (request, trace) => {
  try {
    return await echo(request, trace);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    trace.errorCode = error.code;
    trace.errorSource = error.source;
    return answer(400, error.code);
  }
};

const head = (fields: string) => `PUT /o HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

describe('a request’s body', () => {
  it.each([0, 1, 65_535, 65_536, 65_537, 5 * 1024 * 1024 + 1])('arrives whole: %i bytes', async (bytes) => {
    await using server = await Listening.start(echo);
    const response = await fetch(`http://127.0.0.1:${server.port}/o`, {
      method: 'PUT',
      body: Buffer.alloc(bytes, 'x'),
    });
    expect(await response.text()).toMatch(`PUT /o ${bytes}:`);
    expect((await server.record()).bytesIn).toBe(bytes);
  });

  it('arrives whole byte by byte, chunked', async () => {
    await using server = await Listening.start(echo);
    await using client = await server.open();
    for (const byte of `${head('Transfer-Encoding: chunked\r\n')}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`) {
      client.send(byte);
      await new Promise(setImmediate);
    }
    expect(await client.until('abcde')).toContain('PUT /o 5:abcde');
  });

  it.each([
    ['shorter than its length', 'Content-Length: 50\r\n', 'hello'],
    ['shorter than its length by all of it', 'Content-Length: 50\r\n', ''],
    ['chunked and without a last chunk', 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n'],
    ['chunked and cut within a chunk', 'Transfer-Encoding: chunked\r\n', '5\r\nhel'],
    ['chunked and cut before the last line', 'Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n'],
  ])('%s is IncompleteBody, and the half-open client is told', async (_name, fields, body) => {
    await using server = await Listening.start(tell);
    await using client = await server.open();
    const result = await client
      .send(head(fields) + body)
      .finish()
      .closed();
    expect(result.statuses).toEqual([400]);
    expect(result.text).toContain('IncompleteBody');
  });

  it('is IncompleteBody when the connection breaks, and the signal fires', async () => {
    const thrown = gate<unknown>();
    const aborted = gate();
    await using server = await Listening.start(async (request) => {
      request.signal.addEventListener('abort', () => aborted.open());
      try {
        for await (const _ of request.body);
      } catch (error) {
        thrown.open(error);
      }
      return answer(200);
    });
    await using client = await server.open();
    client.send(`${head('Content-Length: 50\r\n')}hello`);
    await new Promise((resolve) => server.listener.server.once('request', resolve));
    client.socket.resetAndDestroy();
    expect(await thrown.promise).toMatchObject({ code: 'IncompleteBody', source: 'client' });
    await aborted.promise;
    expect(await server.record()).toMatchObject({ outcome: 'client-gone', status: 499, bytesIn: 5 });
  });

  it('throws to a puller that comes after the connection broke', async () => {
    const thrown = gate<unknown>();
    await using server = await Listening.start(async (request) => {
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve));
      await request.body[Symbol.asyncIterator]().next().catch(thrown.open);
      return answer(200);
    });
    await using client = await server.open();
    client.send(`${head('Content-Length: 50\r\n')}hello`);
    await new Promise((resolve) => server.listener.server.once('request', resolve));
    client.socket.resetAndDestroy();
    expect(await thrown.promise).toMatchObject({ code: 'IncompleteBody' });
  });

  it('is held back while nobody pulls', async () => {
    const go = gate();
    await using server = await Listening.start(async (request, trace) => {
      await go.promise;
      return echo(request, trace);
    });
    await using client = await server.open();
    const bytes = 64 * 1024 * 1024;
    client.send(head(`Content-Length: ${bytes}\r\n`));
    const before = process.memoryUsage.rss();
    const block = Buffer.alloc(1024 * 1024);
    let sent = 0;
    while (client.socket.writableLength < block.length && sent < bytes) {
      client.send(block);
      sent += block.length;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    // The kernel's buffers take a few MiB; the gateway takes 64 KiB, and the rest stays with the client.
    expect(sent).toBeLessThan(32 * 1024 * 1024);
    expect(process.memoryUsage.rss() - before).toBeLessThan(48 * 1024 * 1024);
    go.open();
    for (; sent < bytes; sent += block.length) client.send(block);
    await client.until(`PUT /o ${bytes}:`);
  });
});

describe('Expect: 100-continue', () => {
  it('asks for the body when it is first pulled', async () => {
    const go = gate();
    await using server = await Listening.start(async (request, trace) => {
      await go.promise;
      return echo(request, trace);
    });
    await using client = await server.open();
    const requested = new Promise((resolve) => server.listener.server.once('checkContinue', resolve));
    client.send(head('Content-Length: 5\r\nExpect: 100-continue\r\n'));
    await requested;
    expect(client.text).toBe('');
    go.open();
    await client.until('100 Continue');
    client.send('hello');
    await client.until('PUT /o 5:hello');
    client.send('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until('GET /next');
  });

  it('refuses without asking, and closes', async () => {
    await using server = await Listening.start(async () => answer(403, 'no'));
    await using client = await server.open();
    const result = await client.send(head('Content-Length: 5\r\nExpect: 100-continue\r\n')).closed();
    expect(result.statuses).toEqual([403]);
    expect(result.text).toContain('Connection: close');
    expect(result.reset).toBe(false);
  });
});

describe('an answer that does not wait for the body', () => {
  const refuse: TestHandle = async () => answer(403, 'no');

  it('keeps the connection in step after a small body', async () => {
    await using server = await Listening.start(refuse);
    await using client = await server.open();
    client.send(head('Content-Length: 1000\r\n'));
    await client.until('403');
    expect(client.text).not.toContain('Connection: close');
    client.send(
      `${'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'.padEnd(1000, 'x')}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`,
    );
    await client.until((text) => text.split('HTTP/1.1 403').length === 3);
    expect((await server.record(1)).requestId).toBe('ID2');
    expect(server.records).toHaveLength(2);
  });

  it.each([
    ['of a known length', 'Content-Length: 20000000\r\n', ''],
    ['chunked', 'Transfer-Encoding: chunked\r\n', '1312d00\r\n'],
  ])('reaches a client that goes on sending a large body %s, and closes', async (_name, fields, prefix) => {
    await using server = await Listening.start(refuse);
    await using client = await server.open();
    client.send(head(fields) + prefix);
    await client.until('403');
    // A reset here would throw the answer away before a slow client has read it.
    const block = Buffer.alloc(1_000_000, 'x');
    for (let sent = 0; sent < 20_000_000; sent += block.length) {
      client.send(block);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await new Promise<void>((resolve) => client.socket.end(() => resolve()));
    const result = await client.closed();
    expect(result.statuses).toEqual([403]);
    expect(result.text).toContain('Connection: close');
    expect(result.reset).toBe(false);
  });

  it('does not serve what comes behind it on the connection', async () => {
    await using server = await Listening.start(refuse);
    await using client = await server.open();
    client.send(head('Content-Length: 100000\r\n'));
    await client.until('403');
    client.send(`${'x'.repeat(100_000)}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
    const result = await client.finish().closed();
    expect(result.statuses).toEqual([403]);
    expect(server.records).toHaveLength(1);
  });
});
