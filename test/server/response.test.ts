import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { answer, gate, Listening, type TestHandle } from './listening.ts';

const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

describe('an answer', () => {
  it('keeps header order, case, duplicates and latin1 bytes', async () => {
    await using server = await Listening.start(async () =>
      answer(200, 'x', [
        ['x-Amz-Meta-B', '1'],
        ['ETag', '"e"'],
        ['X-AMZ-meta-a', 'caf\xe9'],
        ['x-amz-meta-a', '2'],
      ]),
    );
    await using client = await server.open();
    const text = await client.send(get('/o')).until('\r\n\r\nx');
    expect(text).toMatch(
      /^HTTP\/1\.1 200 OK\r\nx-Amz-Meta-B: 1\r\nETag: "e"\r\nX-AMZ-meta-a: caf\xe9\r\nx-amz-meta-a: 2\r\nContent-Length: 1\r\n/,
    );
    expect(text.match(/^date: /gim)).toHaveLength(1);
  });

  it.each([
    [204, undefined, /^(?![\s\S]*(content-length|transfer-encoding))/i],
    [304, undefined, /^(?![\s\S]*(content-length|transfer-encoding))/i],
    [200, undefined, /Content-Length: 0\r\n/],
    [200, Buffer.alloc(0), /Content-Length: 0\r\n/],
  ])('with status %i and body %s is framed right, and the next one follows', async (status, body, framing) => {
    await using server = await Listening.start(async (request) =>
      request.target.raw === '/next' ? answer(200, 'next') : answer(status, body),
    );
    await using client = await server.open();
    const text = await client.send(get('/o') + get('/next')).until('next');
    const first = text.slice(0, text.indexOf('HTTP/1.1', 5));
    expect(first).toMatch(framing);
    expect(first.endsWith('\r\n\r\n')).toBe(true);
  });

  it('to HEAD keeps its length, has no body, and lets the source go', async () => {
    let released = 0;
    const body = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new Error('pulled')),
        return: async () => {
          released++;
          return { done: true as const, value: undefined };
        },
      }),
    };
    await using server = await Listening.start(async (request) =>
      request.method === 'HEAD' ? answer(200, body, [['Content-Length', '1234']]) : answer(200, 'next'),
    );
    await using client = await server.open();
    const text = await client.send(`HEAD /o HTTP/1.1\r\nHost: a\r\n\r\n${get('/next')}`).until('next');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Length: 1234\r\n[\s\S]*?\r\n\r\nHTTP\/1\.1 200/);
    expect(released).toBe(1);
    expect((await server.record()).bytesOut).toBe(0);
  });

  it('with a head that node refuses lets the source go', async () => {
    let released = 0;
    const body = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new Error('pulled')),
        return: async () => {
          released++;
          return { done: true as const, value: undefined };
        },
      }),
    };
    await using server = await Listening.start(async () => answer(200, body, [['x-amz-meta-a', 'b\r\nc: d']]));
    await using client = await server.open();
    expect(await client.send(get('/o')).until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 500 /);
    expect(released).toBe(1);
  });

  it('streams with its declared length', async () => {
    await using server = await Listening.start(async () =>
      answer(200, pieces('ab', '', 'cde'), [['Content-Length', '5']]),
    );
    await using client = await server.open();
    expect(await client.send(get('/o')).until('abcde')).toContain('\r\n\r\nabcde');
    expect(await server.record()).toMatchObject({ outcome: 'complete', bytesOut: 5, status: 200 });
  });

  it('streams chunked without one', async () => {
    await using server = await Listening.start(async () => answer(200, pieces('ab', 'cde')));
    await using client = await server.open();
    expect(await client.send(get('/o')).until('0\r\n\r\n')).toContain('2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n');
  });

  it('may reuse its buffer from chunk to chunk', async () => {
    const shared = Buffer.alloc(300_000);
    async function* reused(): AsyncGenerator<Buffer> {
      for (let round = 0; round < 40; round++) yield shared.fill(round);
    }
    await using server = await Listening.start(async () =>
      answer(200, reused(), [['Content-Length', String(shared.length * 40)]]),
    );
    await using client = await server.open();
    client.socket.pause();
    client.send(get('/o'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.socket.resume();
    const text = await client.until((so) => so.length >= shared.length * 40 + 100);
    const body = Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1');
    for (let round = 0; round < 40; round++) {
      const piece = body.subarray(round * shared.length, (round + 1) * shared.length);
      expect(piece.every((byte) => byte === round)).toBe(true);
    }
  });

  it.each([
    [
      'throws',
      async function* () {
        yield Buffer.from('ab');
        throw new GatewayError('ObjectCorrupted', 'tag', { source: 'backend' });
      },
      'ObjectCorrupted',
    ],
    ['is shorter than declared', () => pieces('ab'), 'InternalError'],
    ['is longer than declared', () => pieces('ab', 'cdefgh'), 'InternalError'],
  ])('breaks the connection when its body %s', async (_name, body, code) => {
    await using server = await Listening.start(async () => answer(200, body(), [['Content-Length', '5']]));
    await using client = await server.open();
    const result = await client.send(get('/o')).closed();
    expect(result.text.slice(result.text.indexOf('\r\n\r\n') + 4)).toBe('ab');
    expect(await server.record()).toMatchObject({ outcome: 'cut', status: 200, errorCode: code });
  });

  it('breaks a chunked connection when its body throws', async () => {
    await using server = await Listening.start(async () =>
      answer(
        200,
        (async function* () {
          yield Buffer.from('ab');
          throw new Error('boom');
        })(),
      ),
    );
    await using client = await server.open();
    const result = await client.send(get('/o')).closed();
    expect(result.text).toContain('2\r\nab\r\n');
    expect(result.text).not.toContain('0\r\n\r\n');
  });

  it('resets a client of HTTP/1.0 whose answer has no other end', async () => {
    await using server = await Listening.start(async () =>
      answer(
        200,
        (async function* () {
          yield Buffer.from('ab');
          throw new Error('boom');
        })(),
      ),
    );
    await using client = await server.open();
    const result = await client.send('GET /o HTTP/1.0\r\n\r\n').closed();
    expect(result.reset).toBe(true);
  });

  it('is a bare 500 when the handler throws, and says nothing of why', async () => {
    await using server = await Listening.start(async () => {
      throw new Error('the root key is hunter2');
    });
    await using client = await server.open();
    const result = await client.send(get('/o')).closed();
    expect(result.statuses).toEqual([500]);
    expect(result.text).not.toContain('hunter2');
    expect(await server.record()).toMatchObject({ errorCode: 'InternalError', errorSource: 'gateway', status: 500 });
  });

  it('comes in order when requests are pipelined', async () => {
    const first = gate();
    await using server = await Listening.start(async (request) => {
      if (request.target.raw === '/1') await first.promise;
      else first.open();
      return answer(200, pieces(`<${request.target.raw}>`), [['Content-Length', '4']]);
    });
    await using client = await server.open();
    const text = await client.send(get('/1') + get('/2')).until('</2>');
    expect(text.indexOf('</1>')).toBeLessThan(text.indexOf('</2>'));
    expect(server.records.map((record) => record.outcome)).toEqual(['complete', 'complete']);
  });

  it('does not serve more pipelined requests than a few at once', async () => {
    const go = gate();
    let running = 0;
    await using server = await Listening.start(async () => {
      running++;
      await go.promise;
      return answer(200);
    });
    await using client = await server.open();
    await client.send(get('/o').repeat(1000)).closed();
    expect(running).toBe(16);
    go.open();
  });
});

describe('a client that leaves', () => {
  const endless =
    (released: () => void): TestHandle =>
    async () => {
      const chunk = Buffer.alloc(65_536);
      return answer(
        200,
        (async function* () {
          try {
            for (;;) yield chunk;
          } finally {
            released();
          }
        })(),
        [['Content-Length', String(2 ** 40)]],
      );
    };

  it('during an answer has its source released', async () => {
    const released = gate();
    await using server = await Listening.start(endless(released.open));
    await using client = await server.open();
    await client.send(get('/o')).until((text) => text.length > 100_000);
    client.socket.resetAndDestroy();
    await released.promise;
    expect(await server.record()).toMatchObject({ outcome: 'client-gone', status: 200, errorCode: undefined });
  });

  it('while the answer is blocked has its source released', async () => {
    const released = gate();
    await using server = await Listening.start(endless(released.open));
    await using client = await server.open();
    client.socket.pause();
    client.send(get('/o'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.socket.resetAndDestroy();
    await released.promise;
  });

  // A half-closed connection is taken for a closed one: no store's client half-closes, and every one of them gives up.
  it('before the answer fires the signal', async () => {
    const aborted = gate();
    await using server = await Listening.start(async (request) => {
      await new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
      aborted.open();
      return answer(200);
    });
    await using client = await server.open();
    client.send(get('/o'));
    await new Promise((resolve) => server.listener.server.once('request', resolve));
    client.destroy();
    await aborted.promise;
    expect(await server.record()).toMatchObject({ outcome: 'client-gone', status: 499 });
  });

  it('and reads slowly makes nobody’s memory grow', async () => {
    let produced = 0;
    const chunk = Buffer.alloc(1024 * 1024);
    await using server = await Listening.start(async () =>
      answer(
        200,
        (async function* () {
          for (;;) {
            produced += chunk.length;
            yield chunk;
          }
        })(),
        [['Content-Length', String(2 ** 40)]],
      ),
    );
    await using client = await server.open();
    client.socket.pause();
    client.send(get('/o'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    // What loopback's socket buffers take, and one chunk.
    expect(produced).toBeLessThan(16 * 1024 * 1024);
  });
});

describe('the pass-through lane', () => {
  it('writes the answer itself, and is counted', async () => {
    await using server = await Listening.start(async () => ({
      passThrough: async (_request, response) => {
        response.writeHead(202, { 'Content-Length': '4' });
        await new Promise<void>((resolve) => response.end('lane', resolve));
      },
    }));
    await using client = await server.open();
    expect(await client.send(get('/o')).until('lane')).toContain('202');
    const record = await server.record();
    expect(record).toMatchObject({ status: 202, outcome: 'complete' });
    expect(record.bytesOut).toBeGreaterThanOrEqual(4);
  });

  it('that fails before it wrote becomes a 500', async () => {
    await using server = await Listening.start(async () => ({
      passThrough: () => Promise.reject(new Error('no lane')),
    }));
    await using client = await server.open();
    expect((await client.send(get('/o')).closed()).statuses).toEqual([500]);
  });
});
