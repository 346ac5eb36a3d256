import { createHash, randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { ExchangeFailure } from '../../../src/backend/exchange.ts';
import { type LaneOptions, RawSocketLane } from '../../../src/backend/lane/lane.ts';
import { GatewayError } from '../../../src/errors.ts';
import { HeaderList } from '../../../src/wire/headers.ts';
import type { IncomingResponse, OutgoingRequest } from '../../../src/wire/message.ts';
import { type RawPeer, type RawServer, startRawServer } from '../../support/proxies/raw-server.ts';

let server: RawServer | undefined;
let lane: RawSocketLane | undefined;
let open = 0;

afterEach(async () => {
  await lane?.destroy();
  expect(open).toBe(0);
  await server?.stop();
  server = undefined;
  lane = undefined;
});

async function start(script: (peer: RawPeer) => Promise<void>, over: Partial<LaneOptions> = {}) {
  server = await startRawServer(script);
  lane = new RawSocketLane(
    {
      endpoint: server.url,
      connections: 4,
      connectTimeoutSeconds: 2,
      headersTimeoutSeconds: 5,
      bodyTimeoutSeconds: 5,
      keepAliveSeconds: 5,
      ...over,
    },
    (change) => {
      open += change;
    },
  );
  return lane;
}

function request(path = '/b/k', headers: string[] = ['host', 'h']): OutgoingRequest {
  return { method: 'GET', path, headers: new HeaderList(headers), body: undefined, idempotent: true };
}

async function read(response: IncomingResponse): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of response.body) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown.code;
    const { error } = thrown as ExchangeFailure;
    return error instanceof GatewayError ? error.code : String((error as { code?: unknown }).code);
  }
  return 'none';
}

/** Answers every request on every connection with the same bytes. */
function always(answer: string | Buffer) {
  return async (peer: RawPeer) => {
    while ((await peer.head()) !== undefined) peer.write(answer);
  };
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

describe('bytes', () => {
  test.each([
    ['a length', 'HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello'],
    [
      'chunks',
      'HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nhe\r\n003\r\nllo\r\n0\r\nT: x\r\n\r\n',
    ],
    [
      'interim answers',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello',
    ],
  ])('%s, a byte at a time, over a kept connection', async (_what, answer) => {
    const passing = await start(async (peer) => {
      while ((await peer.head()) !== undefined) {
        for (const character of answer) {
          peer.write(character);
          await nextTurn();
        }
      }
    });
    for (let round = 0; round < 2; round++) {
      const response = await passing.exchange(request(), undefined);
      expect(response.headers.get('x')).toBe('y');
      expect((await read(response)).toString()).toBe('hello');
    }
    expect(server?.accepted).toBe(1);
  });

  test('reused buffers: every byte right, whatever the pieces and the pace of either side', async () => {
    const bytes = 6 * 1024 * 1024 + 12_345;
    const content = randomBytes(bytes);
    const digest = createHash('sha256').update(content).digest('hex');
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    const passing = await start(async (peer) => {
      while ((await peer.head()) !== undefined) {
        peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`);
        for (let at = 0; at < bytes; ) {
          const piece = content.subarray(at, at + 1 + random(400_000));
          at += piece.length;
          if (!peer.socket.write(piece)) await new Promise((resolve) => peer.socket.once('drain', resolve));
          if (random(3) === 0) await nextTurn();
        }
      }
    });
    const download = async () => {
      for (let round = 0; round < 3; round++) {
        const hash = createHash('sha256');
        const response = await passing.exchange(request(), undefined);
        for await (const piece of response.body) {
          // The chunk is ours until the next pull: not before.
          for (let turns = random(3); turns > 0; turns--) await nextTurn();
          hash.update(piece);
        }
        expect(hash.digest('hex')).toBe(digest);
      }
    };
    await Promise.all([download(), download(), download(), download()]);
  });

  test('a small answer in one reader’s hands is not overwritten by the next exchange', async () => {
    let count = 0;
    const passing = await start(
      async (peer) => {
        while ((await peer.head()) !== undefined) {
          const text = String(count++).repeat(1_000);
          peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
        }
      },
      { connections: 1 },
    );
    const first = (await passing.exchange(request(), undefined)).body[Symbol.asyncIterator]();
    const chunk = (await first.next()).value as Buffer;
    const second = passing.exchange(request(), undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(chunk.toString()).toBe('0'.repeat(1_000));
    await first.next(); // the end: now the connection is free
    expect((await read(await second)).toString()).toBe('1'.repeat(1_000));
    expect(server?.accepted).toBe(1);
  });

  test('bytes after an answer do not overwrite what its reader still holds', async () => {
    const passing = await start(async (peer) => {
      await peer.head();
      peer.write(OK);
      setTimeout(() => peer.write('x'.repeat(1_000)), 20);
      await peer.head();
    });
    const response = await passing.exchange(request(), undefined);
    const iterator = response.body[Symbol.asyncIterator]();
    const chunk = (await iterator.next()).value as Buffer;
    await expect.poll(() => open).toBe(0);
    expect(chunk.toString()).toBe('hello');
    expect((await iterator.next()).done).toBe(true);
  });

  test('a body pulled again after its end does not touch the next exchange', async () => {
    const passing = await start(always(OK), { connections: 1 });
    const first = await passing.exchange(request(), undefined);
    const iterator = first.body[Symbol.asyncIterator]();
    await iterator.next();
    expect((await iterator.next()).done).toBe(true);
    const second = await passing.exchange(request(), undefined);
    expect((await iterator.next()).done).toBe(true);
    first.discard();
    await iterator.return?.();
    expect((await read(second)).toString()).toBe('hello');
  });

  test.each([
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['304 with a length', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n'],
    ['no bytes', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['no chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])('%s: an empty body, and the connection is kept', async (_what, answer) => {
    const passing = await start(always(answer));
    for (let round = 0; round < 3; round++) {
      const response = await passing.exchange(request(), undefined);
      if (round === 1) response.discard();
      else expect(await read(response)).toHaveLength(0);
    }
    expect(server?.accepted).toBe(1);
  });

  test('a value that ends in UTF-8 keeps its last byte, which some take for a blank', async () => {
    const over = await start(always('HTTP/1.1 200 OK\r\nX: \t \xc3\xa0 \r\nContent-Length: 0\r\n\r\n'));
    const { headers } = await over.exchange(request(), undefined);
    expect(headers.get('x')).toBe('\xc3\xa0');
  });

  test('an error page without a length: its status counts, its text does not', async () => {
    const passing = await start(async (peer) => {
      await peer.head();
      peer.write('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n<html>');
      peer.end();
    });
    const response = await passing.exchange(request(), undefined);
    expect(response.status).toBe(502);
    expect(await read(response)).toHaveLength(0);
  });
});

describe('answers that are refused', () => {
  test.each([
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
    ['an upgrade', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 5\n\nhello\r\n\r\n'],
    ['a bare LF in a field', 'HTTP/1.1 200 OK\r\nA: b\nContent-Length: 5\r\n\r\nhello'],
    ['a folded field', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 5\r\n\r\nhello'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello'],
    ['no colon', 'HTTP/1.1 200 OK\r\nContent-Length\r\n\r\nhello'],
    ['NUL', 'HTTP/1.1 200 OK\r\nA: b\0\r\nContent-Length: 5\r\n\r\nhello'],
    ['a vertical tab behind a value', 'HTTP/1.1 200 OK\r\nA: b\x0b\r\nContent-Length: 5\r\n\r\nhello'],
    ['a bare CR before a value', 'HTTP/1.1 200 OK\r\nA: \rb\r\nContent-Length: 5\r\n\r\nhello'],
    ['a tab behind the coding', 'HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n'],
    ['two equal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\nhello'],
    ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello'],
    ['a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello'],
    ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    ['chunked twice', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['too much head', `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(10_000)}\r\n`],
  ])('%s', async (_what, answer) => {
    const passing = await start(always(answer));
    expect(await failure(passing.exchange(request(), undefined))).toBe('ANSWER_MALFORMED');
  });

  test('success without a length', async () => {
    const passing = await start(always('HTTP/1.1 200 OK\r\n\r\nhello'));
    expect(await failure(passing.exchange(request(), undefined))).toBe('BackendError');
  });

  test.each([
    ['a size that is no number', 'x\r\nhello\r\n0\r\n\r\n'],
    ['a size past reason', '123456789\r\n'],
    ['a bare LF', '5\nhello\r\n0\r\n\r\n'],
    ['data that is longer', '5\r\nhello!\r\n0\r\n\r\n'],
    ['a blank behind a size', '5 \r\nhello\r\n0\r\n\r\n'],
    ['an extension without a name', '5;\r\nhello\r\n0\r\n\r\n'],
    ['a trailer that is no field', '0\r\nx\r\n\r\n'],
    ['a length in the trailer', '0\r\nContent-Length: 0\r\n\r\n'],
    ['an endless line', `5;${'x'.repeat(2_000)}`],
    ['an endless trailer', `0\r\n${'a: b\r\n'.repeat(50)}`],
  ])('chunks with %s', async (_what, chunks) => {
    const passing = await start(always(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`));
    const outcome = passing.exchange(request(), undefined).then(read);
    expect(await failure(outcome)).toMatch(/^(BackendError|ANSWER_MALFORMED)$/);
  });

  test.each([
    ['a space in the target', request('/a b')],
    ['a line end in the target', request('/a\r\nX: y')],
    ['a line end in a value', request('/', ['x', 'a\r\nY: z'])],
    ['a blank in a name', request('/', ['x y', 'a'])],
  ])('what cannot be said is not sent: %s', async (_what, asked) => {
    const passing = await start(always(OK));
    expect(await failure(passing.exchange(asked, undefined))).toBe('UND_ERR_INVALID_ARG');
    expect(server?.accepted).toBe(0);
  });
});

describe('connections', () => {
  test('bytes past the end of an answer: the answer stands, the connection does not', async () => {
    const passing = await start(always(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`));
    for (let round = 0; round < 3; round++) {
      expect((await read(await passing.exchange(request(), undefined))).toString()).toBe('hello');
    }
    expect(server?.accepted).toBe(3);
  });

  test('bytes that nobody asked for end an idle connection', async () => {
    const passing = await start(async (peer) => {
      await peer.head();
      peer.write(OK);
      setTimeout(() => peer.write(OK), 20);
      await peer.head();
    });
    await read(await passing.exchange(request(), undefined));
    await expect.poll(() => open).toBe(0);
    expect((await read(await passing.exchange(request(), undefined))).toString()).toBe('hello');
  });

  test('a connection that the backend closes while idle is forgotten', async () => {
    const passing = await start(async (peer) => {
      await peer.head();
      peer.write(OK);
      setTimeout(() => peer.end(), 20);
    });
    for (let round = 0; round < 3; round++) {
      await read(await passing.exchange(request(), undefined));
      await expect.poll(() => open).toBe(0);
    }
    expect(server?.accepted).toBe(3);
  });

  test('Connection: close is obeyed', async () => {
    const passing = await start(always('HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 5\r\n\r\nhello'));
    for (let round = 0; round < 2; round++) await read(await passing.exchange(request(), undefined));
    expect(server?.accepted).toBe(2);
  });

  test('idle connections are closed in time', async () => {
    const passing = await start(always(OK), { keepAliveSeconds: 1 });
    await read(await passing.exchange(request(), undefined));
    expect(open).toBe(1);
    await expect.poll(() => open).toBe(0);
  });

  test('no more connections than allowed; the others wait their turn, and are not lost when one breaks', async () => {
    let served = 0;
    const passing = await start(
      async (peer) => {
        for (let head = await peer.head(); head !== undefined; head = await peer.head()) {
          await nextTurn();
          if (++served % 5 === 0) return peer.reset();
          peer.write(OK);
        }
      },
      { connections: 2 },
    );
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, () =>
        passing
          .exchange(request(), undefined)
          .then(read)
          .then(
            () => 'ok',
            () => 'failed',
          ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'failed')).toHaveLength(6);
    expect(open).toBeLessThanOrEqual(2);
  });

  test('close() waits for what is in flight, destroy() does not', async () => {
    const passing = await start(async (peer) => {
      await peer.head();
      peer.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
      setTimeout(() => peer.write('world'), 50);
      await peer.head();
    });
    const response = await passing.exchange(request(), undefined);
    const closed = passing.close();
    expect((await read(response)).toString()).toBe('helloworld');
    await closed;
  });

  test('a refused connection and a silent one', async () => {
    const passing = await start(async () => undefined, { headersTimeoutSeconds: 0.2 });
    expect(await failure(passing.exchange(request(), undefined))).toBe('ETIMEDOUT');
    await server?.stop();
    expect(await failure(passing.exchange(request(), undefined))).toBe('ECONNREFUSED');
  });
});
