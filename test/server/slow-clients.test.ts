import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { answer, echo, gate, Listening, type TestHandle } from './listening.ts';
import type { RawClient } from './raw-client.ts';

const tell: TestHandle = async (request, trace) => {
  try {
    return await echo(request, trace);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return answer(400, error.code);
  }
};

/** Sends a byte now and then until the connection is closed. */
function trickle(client: RawClient, text: string, milliseconds: number): NodeJS.Timeout {
  let at = 0;
  const timer = setInterval(() => {
    if (client.socket.destroyed || at === text.length) clearInterval(timer);
    else client.send(text[at++] as string);
  }, milliseconds);
  return timer;
}

describe('a slow head', () => {
  const limits = { headerSeconds: 0.3 };

  it.each([
    ['nothing', ''],
    ['half a request line', 'GET /o HT'],
    ['half a head', 'GET /o HTTP/1.1\r\nHost: a\r\nX-A:'],
  ])('of %s gets 408 in time', async (_name, bytes) => {
    await using server = await Listening.start(echo, { limits });
    await using client = await server.open();
    const result = await client.send(bytes).closed();
    expect(result.statuses).toEqual([408]);
    expect(server.refusals).toEqual(['ERR_HTTP_REQUEST_TIMEOUT']);
  });

  it('that trickles gets 408 all the same (slowloris)', async () => {
    await using server = await Listening.start(echo, { limits });
    await using client = await server.open();
    const timer = trickle(client, `GET /o HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(1000)}`, 20);
    const result = await client.closed();
    clearInterval(timer);
    expect(result.statuses).toEqual([408]);
  });

  it('on a kept connection gets 408 too', async () => {
    await using server = await Listening.start(echo, { limits });
    await using client = await server.open();
    await client.send('GET /o HTTP/1.1\r\nHost: a\r\n\r\n').until('GET /o 0:');
    const result = await client.send('GET /again HTTP').closed();
    expect(result.statuses).toEqual([200, 408]);
  });
});

describe('a slow body', () => {
  const put = 'PUT /o HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n';

  it('that stops is RequestTimeout after the idle time', async () => {
    await using server = await Listening.start(tell, { limits: { idleSeconds: 0.3 } });
    await using client = await server.open();
    const result = await client.send(`${put}hello`).closed();
    expect(result.text).toContain('RequestTimeout');
    expect(result.text).toContain('Connection: close');
  });

  it('that trickles under the least rate is RequestTimeout', async () => {
    await using server = await Listening.start(tell, { limits: { idleSeconds: 0.5, minUploadBytesPerSecond: 500 } });
    await using client = await server.open();
    const timer = trickle(client.send(put), 'x'.repeat(1000), 20);
    const result = await client.closed();
    clearInterval(timer);
    expect(result.text).toContain('RequestTimeout');
  });

  it('over the least rate is served', async () => {
    await using server = await Listening.start(tell, { limits: { idleSeconds: 1, minUploadBytesPerSecond: 100 } });
    await using client = await server.open();
    client.send(put);
    for (let sent = 0; sent < 1000; sent += 100) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      client.send('x'.repeat(100));
    }
    await client.until('PUT /o 1000:');
  });

  it('is not held against a client while the gateway is the slow one', async () => {
    const late = gate();
    await using server = await Listening.start(
      async (request, trace) => {
        await late.promise;
        return tell(request, trace);
      },
      { limits: { idleSeconds: 0.1 } },
    );
    await using client = await server.open();
    client.send(put + 'x'.repeat(1000));
    await new Promise((resolve) => setTimeout(resolve, 500));
    late.open();
    await client.until('PUT /o 1000:');
  });

  it('that nobody wants and that never ends is cut', async () => {
    await using server = await Listening.start(async () => answer(403, 'no'), { limits: { idleSeconds: 0.3 } });
    await using client = await server.open();
    client.send(put);
    await client.until('403');
    const result = await client.closed();
    expect(result.statuses).toEqual([403]);
    expect((await server.record()).errorCode).toBe('RequestTimeout');
  });
});

describe('a slow reader', () => {
  const endless: TestHandle = async () => {
    const chunk = Buffer.alloc(1024 * 1024);
    return answer(
      200,
      (async function* () {
        for (;;) yield chunk;
      })(),
      [['Content-Length', String(2 ** 40)]],
    );
  };

  it('that stops is cut after the idle time, and the source is released', async () => {
    await using server = await Listening.start(endless, { limits: { idleSeconds: 0.3 } });
    await using client = await server.open();
    client.socket.pause();
    client.send('GET /o HTTP/1.1\r\nHost: a\r\n\r\n');
    const record = await server.record();
    expect(record).toMatchObject({ outcome: 'client-gone', errorCode: 'RequestTimeout', errorSource: 'client' });
  });

  it('that reads a little at a time is left alone', async () => {
    await using server = await Listening.start(endless, { limits: { idleSeconds: 1 } });
    await using client = await server.open();
    client.socket.pause();
    client.send('GET /o HTTP/1.1\r\nHost: a\r\n\r\n');
    for (let reads = 0; reads < 12; reads++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      client.socket.read(512 * 1024) ?? client.socket.read();
    }
    expect(server.records).toEqual([]);
  });
});

describe('limits', () => {
  it('give 431 to a head that is too large', async () => {
    await using server = await Listening.start(echo, { limits: { headerBytes: 8192 } });
    await using client = await server.open();
    const result = await client.send(`GET /o HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(9000)}\r\n\r\n`).closed();
    expect(result.statuses).toEqual([431]);
    expect(result.text).toContain('RequestHeaderSectionTooLarge');
  });

  it('give 431 to a target that is too large', async () => {
    await using server = await Listening.start(echo, { limits: { headerBytes: 8192 } });
    await using client = await server.open();
    expect((await client.send(`GET /${'a'.repeat(9000)} HTTP/1.1\r\n`).closed()).statuses).toEqual([431]);
  });

  it('lose none of very many small fields: all of them are there, or the request is refused', async () => {
    await using server = await Listening.start(async (request) => answer(200, `<${request.headers.size}>`));
    const many = (count: number) => `GET /o HTTP/1.1\r\nHost: a\r\n${'X:1\r\n'.repeat(count)}\r\n`;
    await using client = await server.open();
    await client.send(many(499)).until('<500>');
    await using another = await server.open();
    expect((await another.send(many(3000)).closed()).statuses).toEqual([431]);
  });

  it('close connections past the most', async () => {
    await using server = await Listening.start(echo, { limits: { maxConnections: 2 } });
    await using first = await server.open();
    await using second = await server.open();
    await first.send('GET /o HTTP/1.1\r\nHost: a\r\n\r\n').until('GET /o');
    await using third = await server.open();
    expect((await third.closed()).statuses).toEqual([]);
    expect(server.refusals).toEqual(['TooManyConnections']);
    await second.send('GET /o HTTP/1.1\r\nHost: a\r\n\r\n').until('GET /o');
  });

  it('keep an idle connection for its time, and then close it', async () => {
    await using server = await Listening.start(echo, { limits: { keepAliveSeconds: 1 } });
    await using client = await server.open();
    await client.send('GET /o HTTP/1.1\r\nHost: a\r\n\r\n').until('GET /o 0:');
    const result = await client.closed();
    expect(result.statuses).toEqual([200]);
    expect(result.reset).toBe(false);
  });
});
