import { get as httpGet } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RawSocketLane } from '../../../src/backend/lane/lane.ts';
import { HeaderList } from '../../../src/wire/headers.ts';
import fc, { runs } from '../../support/property.ts';
import { type RawServer, startRawServer } from '../../support/proxies/raw-server.ts';

/**
 * The lane reads answers with a parser of its own. Node's HTTP parser is the oracle: the lane may refuse what node
 * reads, but what it reads must be what node reads, to the last header and byte, and whole.
 */

/** An answer as its reader understood it. */
interface Understood {
  readonly status: number;
  /** Flat, as on the wire. */
  readonly headers: readonly string[];
  readonly body: string;
}

interface Scripted {
  readonly pieces: readonly Buffer[];
  readonly end: 'FIN' | 'RST';
}

let server: RawServer;
let lane: RawSocketLane;
const scripts = new Map<string, Scripted>();
let scripted = 0;

beforeAll(async () => {
  server = await startRawServer(async (peer) => {
    const path = (await peer.head())?.split(' ')[1];
    const script = scripts.get(path ?? '');
    if (script === undefined) return peer.reset();
    for (const piece of script.pieces) {
      peer.write(piece);
      await nextTurn();
    }
    if (script.end === 'FIN') peer.end();
    else peer.reset();
  });
  const seconds = {
    connectTimeoutSeconds: 30,
    headersTimeoutSeconds: 30,
    bodyTimeoutSeconds: 30,
    keepAliveSeconds: 30,
  };
  lane = new RawSocketLane({ endpoint: server.url, connections: 4, ...seconds }, () => undefined);
});

afterAll(async () => {
  await lane.destroy();
  await server.stop();
});

async function readWithLane(path: string): Promise<Understood | undefined> {
  try {
    const headers = new HeaderList(['host', 'h']);
    const answer = await lane.exchange({ method: 'GET', path, headers, body: undefined, idempotent: true }, undefined);
    let body = '';
    for await (const piece of answer.body) body += piece.toString('latin1');
    return { status: answer.status, headers: answer.headers.toRaw(), body };
  } catch {
    return undefined;
  }
}

function readWithNode(path: string): Promise<Understood | undefined> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port: server.port, path, agent: false, maxHeaderSize: 64 * 1024 };
    const request = httpGet(options, (answer) => {
      let body = '';
      answer.setEncoding('latin1');
      answer.on('data', (piece: string) => {
        body += piece;
      });
      const done = () => {
        const { statusCode: status = 0, rawHeaders: headers, complete } = answer;
        resolve(complete ? { status, headers, body } : undefined);
      };
      answer.on('end', done).on('error', done).on('close', done);
    });
    request.on('error', () => undefined);
    // An error after the answer's end is about what follows it.
    request.on('close', () => setImmediate(() => resolve(undefined)));
  });
}

/** What both make of the same bytes. */
async function readBoth(script: Scripted) {
  const path = `/${scripted++}`;
  scripts.set(path, script);
  const [ours, theirs] = await Promise.all([readWithLane(path), readWithNode(path)]);
  scripts.delete(path);
  return { ours, theirs };
}

/** The one difference: the lane takes no body whose end is the connection's end, and success is never without one. */
function isPageWithoutLength({ status, headers, body }: Understood): boolean {
  const framed = /^(?:content-length|transfer-encoding)$/i;
  return status >= 300 && body === '' && !headers.some((name, at) => at % 2 === 0 && framed.test(name));
}

async function compare(script: Scripted): Promise<'read' | 'refused'> {
  const { ours, theirs } = await readBoth(script);
  if (ours === undefined) return 'refused';
  const told = Buffer.concat(script.pieces).toString('latin1');
  const oracle = theirs !== undefined && isPageWithoutLength(ours) ? { ...theirs, body: '' } : theirs;
  expect({ told, ours }).toEqual({ told, ours: oracle });
  return 'read';
}

function whole(bytes: string): Scripted {
  return { pieces: [Buffer.from(bytes, 'latin1')], end: 'FIN' };
}

const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const WHOLE = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: "a"\r\n\r\nhello',
  `HTTP/1.1 200 OK\r\n${CHUNKED}\r\n5\r\nhello\r\n6;a=b;c\r\n world\r\n0\r\n\r\n`,
  `HTTP/1.1 206 \r\n${CHUNKED}Connection: close\r\n\r\n5\r\nhello\r\n0\r\nx-amz-checksum-crc32: AAAAAA==\r\n\r\n`,
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc',
  'HTTP/1.1 412 Precondition Failed\r\nContent-Length: 24\r\n\r\n<Error><Code/></Error>\r\n',
];

test('an answer that breaks off is no answer, at whatever byte', async () => {
  for (const answer of WHOLE) {
    expect((await readBoth(whole(answer))).ours).toMatchObject({ status: expect.any(Number) });
    for (let length = 0; length < answer.length; length++) {
      const end = length % 2 === 0 ? 'FIN' : 'RST';
      const { ours } = await readBoth({ pieces: [Buffer.from(answer.slice(0, length), 'latin1')], end });
      expect([answer.slice(0, length), ours]).toEqual([answer.slice(0, length), undefined]);
    }
  }
});

describe('what the lane reads is what node reads', () => {
  const among = (list: string) => fc.constantFrom(...list.split('¦'));
  /** Mostly what is in order: of answers with several odd pieces nearly all are refused for the first. */
  const mostly = (good: string, odd: string) =>
    fc.oneof({ weight: 5, arbitrary: among(good) }, { weight: 1, arbitrary: among(odd) });

  const statusLine = mostly(
    'HTTP/1.1 200 OK¦HTTP/1.1 206 Partial¦HTTP/1.1 204 None¦HTTP/1.1 304 Same¦HTTP/1.1 404 \xfc¦HTTP/1.1 500 ¦HTTP/1.1 205',
    'HTTP/1.0 200 OK¦HTTP/1.1  200 OK¦HTTP/1.1 099 X¦HTTP/1.1 2000 X¦HTTP/1.1 600 X¦ICY 200 OK¦HTTP/1.1 200 \0',
  );
  const field = mostly(
    'ETag: "a"¦x-amz-meta-a: \xc3\xa0¦x-amz-meta-b:\xa0b\xa0¦x-amz-meta-c:\t c \t¦X:¦Connection: close¦Content-Encoding: gzip',
    'Connection: Upgrade¦Upgrade: h2c¦Trailer: x¦A : b¦ folded¦\tfolded¦: x¦X¦X: a\0b¦X: a\rb¦X: \x0b¦X\xfc: b¦X: \x7f¦X: a\nContent-Length: 1',
  );
  const framing = fc.oneof(
    { weight: 6, arbitrary: among('Content-Length: 5¦Transfer-Encoding: chunked') },
    among(
      '0¦3¦7¦05¦+5¦-5¦5 ¦5\t¦\x0b5¦5\xa0¦0x5¦5,5¦5, 5¦¦5e0¦5.0¦4294967301¦18446744073709551621¦99999999999999999999',
    ).map((value) => `Content-Length: ${value}`),
    among(
      'Chunked¦chunked ¦chunked,¦gzip, chunked¦chunked, gzip¦identity¦¦gzip¦chunked\t¦\x0bchunked¦chunked\xa0¦"chunked"¦chunked;a=b',
    ).map((value) => `Transfer-Encoding: ${value}`),
  );
  const chunk = mostly(
    '5\r\nhello\r\n¦1\r\n\n\r\n¦005\r\nhello\r\n¦5;a=b\r\nhello\r\n¦5;a;b="c;\\"d"\r\nhello\r\n¦A\r\nhellohello\r\n',
    '5 \r\nhello\r\n¦5\t;a\r\nhello\r\n¦5;\r\nhello\r\n¦5; a = b\r\nhello\r\n¦5;\xfc\r\nhello\r\n¦ 5\r\nhello\r\n¦5\nhello\n¦' +
      '5\r\nhello¦5\r\nhello!\r\n¦0x5\r\nhello\r\n¦-5\r\nhello\r\n¦100000005\r\nhello\r\n¦5;a\x01\r\nhello\r\n¦5;a="b\r\nhello\r\n¦' +
      '5;a b\r\nhello\r\n¦5;=\r\nhello\r\n¦5;a=\r\nhello\r\n¦5,a\r\nhello\r\n¦5\rhello\r\n¦G\r\nhello\r\n¦5;a="b"c\r\nhello\r\n',
  );
  const lastChunk = mostly('0¦00¦0;a', '0 ¦¦0;¦g');
  const trailer = mostly(
    '¦x: y\r\n¦x: \xa0\r\n',
    'Content-Length: 5\r\n¦Transfer-Encoding: chunked\r\n¦x : y\r\n¦x\r\n¦: y\r\n¦ y\r\n¦x: y\n¦x: \0\r\n¦x: \x0b\r\n¦x\xfc: y\r\n¦\r¦\n',
  );
  const chunks = fc
    .tuple(fc.array(chunk, { maxLength: 3 }), lastChunk, trailer)
    .map(([all, last, end]) => `${all.join('')}${last}\r\n${end}\r\n`);
  const interim = mostly(
    '¦¦¦HTTP/1.1 100 Continue\r\n\r\n¦HTTP/1.1 103 Hints\r\nLink: x\r\nContent-Length: 5\r\n\r\n',
    'HTTP/1.1 101 Switch\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n¦\r\n¦HTTP/1.1 199 X\r\nX\r\n\r\n',
  );
  const fields = fc.array(fc.oneof({ weight: 7, arbitrary: field }, { weight: 1, arbitrary: framing }), {
    maxLength: 2,
  });
  const composed = fc
    .tuple(interim, statusLine, fields, framing, fields, chunks, mostly('¦¦', 'X¦HTTP/1.1 200 OK\r\n'))
    .map(([early, line, before, frame, after, chunked, more]) => {
      const content = frame.startsWith('Content') ? 'hello' : chunked;
      return `${early}${[line, ...before, frame, ...after].join('\r\n')}\r\n\r\n${content}${more}`;
    });
  const plain = fc
    .tuple(
      among('200 OK¦206 Partial¦404 Not Found¦204 None¦304 Same'),
      fc.array(among('ETag: "a"¦x-amz-meta-a: \xc3\xa0¦Connection: close¦X:\t'), { maxLength: 2 }),
      fc.boolean(),
      fc.array(among('hello¦a¦hello\r\nworld'), { maxLength: 3 }),
    )
    .map(([line, more, chunked, pieces]) => {
      const sized = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`);
      const frame = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${pieces.join('').length}`;
      const content = chunked ? `${sized.join('')}0\r\n\r\n` : pieces.join('');
      return `HTTP/1.1 ${[line, ...more, frame].join('\r\n')}\r\n\r\n${content}`;
    });
  const damage = fc.record({
    at: fc.nat(),
    drop: fc.nat({ max: 2 }),
    put: among(
      '¦\0¦\n¦\r¦\r\n¦\r\n\r\n¦ ¦\t¦\x0b¦\xa0¦\xff¦:¦,¦;¦0¦1¦a¦f¦-¦+¦\r\n ¦0\r\n\r\n¦\r\nContent-Length: 5¦' +
        '\r\nTransfer-Encoding: chunked¦\r\nContent-Length: 1\r\nX: ',
    ),
  });
  const cuts = fc.array(fc.nat(), { maxLength: 3 });
  const end = fc.constantFrom('FIN' as const, 'FIN' as const, 'FIN' as const, 'RST' as const);

  function inPieces(bytes: Buffer, places: readonly number[]): Buffer[] {
    const at = [...new Set(places.map((place) => place % (bytes.length + 1))), bytes.length].sort((a, b) => a - b);
    return at.map((place, index) => bytes.subarray(at[index - 1] ?? 0, place));
  }

  test.each([
    ['composed ones', composed, 0, runs(2_000)],
    ['damaged ones', plain, 2, runs(2_000)],
  ] as const)('of %s', async (_, answers, damages, numRuns) => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(
        answers,
        fc.array(damage, { minLength: Math.min(damages, 1), maxLength: damages }),
        cuts,
        end,
        async (written, hits, places, over) => {
          let damaged = written;
          for (const { at, drop, put } of hits) {
            const place = at % (damaged.length + 1);
            damaged = damaged.slice(0, place) + put + damaged.slice(place + drop);
          }
          const pieces = inPieces(Buffer.from(damaged, 'latin1'), places);
          if ((await compare({ pieces, end: over })) === 'read') read++;
        },
      ),
      { numRuns },
    );
    expect(read).toBeGreaterThan(numRuns / 20); // it is not that all were refused
  });
});
