import { describe, expect, it } from 'vitest';
import { s3Back } from '../../../src/dialects/s3/back/back.ts';
import { sealedBytes } from '../../../src/envelope/sizes.ts';
import { clientError } from '../../../src/errors.ts';
import { listObjects } from '../../../src/pipeline/bucket/list.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { Store } from '../../../src/store/store.ts';
import { pattern } from '../../devstore/started.ts';
import {
  BUCKET,
  bodyOf,
  getOf,
  headOf,
  inProcess,
  isObject,
  listOf,
  putOf,
  refusalOf,
  verifiedBody,
} from '../in-process.ts';

const PIECE = 8 * 1024 * 1024;

/** Requests of an upload, its id left out. */
function steps(asked: readonly string[]): string[] {
  return asked.map((line) => line.replace(/uploadId=[^&]*/, 'uploadId'));
}

describe('an upload that is too large for one request once it is sealed', () => {
  const LARGEST = 12 * 1024 * 1024;

  it.each(['seal', 'none'] as const)('goes in parts, and below that in one (%s)', async (protection) => {
    const stand = await inProcess();
    const store = new Store({ ...s3Back, limits: { ...s3Back.limits, largestPutBytes: LARGEST } }, stand.connection);
    const context = () => {
      const plain = stand.context({ protection });
      return { ...plain, store };
    };
    let fitting = LARGEST;
    while (protection === 'seal' && sealedBytes(fitting, context().policy.quantum) > LARGEST) fitting -= 65_536;
    for (const [bytes, requests] of [
      [fitting, ['PUT']],
      [protection === 'seal' ? LARGEST : LARGEST + 1, ['POST', 'PUT', 'PUT', 'POST']],
    ] as const) {
      const whole = pattern(bytes);
      stand.asked();
      await putObject(putOf('large'), verifiedBody(whole), context());
      expect(stand.asked().map((line) => line.split(' ')[0])).toEqual(requests);
      expect((await bodyOf(await getObject(getOf('large'), context()))).equals(whole)).toBe(true);
      expect(stand.handling.memory.reservedBytes).toBe(0);
    }
  });
});

describe('an upload of unknown length', () => {
  it.each([0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 65_536])('of %i bytes', async (bytes) => {
    const stand = await inProcess();
    const whole = pattern(bytes);
    await putObject(putOf('object'), verifiedBody(whole, { declared: false }), stand.context());
    const writes = steps(stand.asked()).filter((line) => !line.startsWith('GET'));
    const parts = Math.floor(bytes / PIECE) + 1;
    const expected =
      bytes < PIECE
        ? [`PUT /${BUCKET}/object`]
        : [
            `POST /${BUCKET}/object?uploads=`,
            ...Array.from({ length: parts }, (_, at) => `PUT /${BUCKET}/object?partNumber=${at + 1}&uploadId`),
            `POST /${BUCKET}/object?uploadId`,
          ];
    expect(writes).toEqual(expected);
    expect((await stand.stored.read(BUCKET, 'object')).record.bytes).toBe(sealedBytes(bytes, 0));
    const head = await headObject(headOf('object'), stand.context());
    const get = await getObject(getOf('object'), stand.context());
    const listing = await listObjects(listOf(), stand.context());
    const [listed] = listing.objects;
    listing.release();
    expect([head.facts.plaintextBytes, get.facts.plaintextBytes, listed?.plaintextBytes]).toEqual([
      bytes,
      bytes,
      bytes,
    ]);
    expect([head.facts.etag, get.facts.etag]).toEqual([listed?.etag, listed?.etag]);
    expect((await bodyOf(get)).equals(whole)).toBe(true);
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it.each([10, PIECE, PIECE + 10])('of %i bytes that turns out bad leaves nothing', async (bytes) => {
    const stand = await inProcess();
    const refusal = clientError('BadDigest', 'no');
    const body = verifiedBody(pattern(bytes), { declared: false, refusal });
    expect(await refusalOf(putObject(putOf('object'), body, stand.context()))).toBe('BadDigest');
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
    const lines = stand.asked();
    const begun = lines.some((line) => line.endsWith('?uploads='));
    expect(begun).toBe(bytes >= PIECE);
    expect(lines.some((line) => line.startsWith('DELETE'))).toBe(begun);
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it.each([
    ['a part', 'PUT', /partNumber=2/],
    ['the end', 'POST', /uploadId=/],
  ] as const)('is aborted when %s fails', async (_, method, at) => {
    const stand = await inProcess();
    stand.faults.plan(
      { method, where: ({ target }) => at.test(target.raw) },
      { kind: 'refuse', status: 403, code: 'AccessDenied' },
    );
    const put = putObject(putOf('object'), verifiedBody(pattern(PIECE + 10), { declared: false }), stand.context());
    expect(await refusalOf(put)).toBe('AccessDenied');
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
    expect(stand.asked().at(-1)).toMatch(/^DELETE .*uploadId=/);
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('is aborted when its client goes, though the client’s signal has fired', async () => {
    const stand = await inProcess();
    const gone = new AbortController();
    const hold = stand.faults.hold({ method: 'PUT', where: ({ target }) => /partNumber=2/.test(target.raw) });
    const context = { ...stand.context(), signal: gone.signal };
    const put = putObject(putOf('object'), verifiedBody(pattern(2 * PIECE), { declared: false }), context);
    await hold.reached;
    gone.abort();
    expect(await refusalOf(put)).toBe('RequestTimeout');
    hold.release();
    expect(stand.asked().at(-1)).toMatch(/^DELETE .*uploadId=/);
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('keeps its condition to the end', async () => {
    const stand = await inProcess();
    await putObject(putOf('object'), verifiedBody(pattern(10)), stand.context());
    const put = putOf('object', { conditions: { ifNoneMatch: '*' } });
    const second = putObject(put, verifiedBody(pattern(PIECE), { declared: false }), stand.context());
    expect(await refusalOf(second)).toBe('PreconditionFailed');
    expect((await bodyOf(await getObject(getOf('object'), stand.context()))).length).toBe(10);
  });

  it.each([0, 1, PIECE - 1, PIECE, 2 * PIECE + 5])('without protection stores %d bytes as they are', async (bytes) => {
    const stand = await inProcess();
    const plain = stand.context({ protection: 'none' });
    await putObject(putOf('object'), verifiedBody(pattern(bytes), { declared: false }), plain);
    expect((await stand.stored.read(BUCKET, 'object')).record.bytes).toBe(bytes);
    expect(await bodyOf(await getObject(getOf('object'), plain))).toEqual(pattern(bytes));
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it.each([10, PIECE + 10])('without protection leaves nothing of %d bad bytes', async (bytes) => {
    const stand = await inProcess();
    const refusal = clientError('BadDigest', 'no');
    const body = verifiedBody(pattern(bytes), { declared: false, refusal });
    const put = putObject(putOf('object'), body, stand.context({ protection: 'none' }));
    expect(await refusalOf(put)).toBe('BadDigest');
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
    expect(stand.asked().some((line) => line.startsWith('DELETE'))).toBe(bytes >= PIECE);
  });

  it.each([0, 1000, PIECE - 2, PIECE, PIECE + 3])('reserves for the most that may come: %d bytes', async (bytes) => {
    const stand = await inProcess();
    const held: number[] = [];
    const body = { ...verifiedBody(pattern(bytes), { declared: false }), mostBytes: bytes + 100 };
    const source = body.bytes;
    body.bytes = async function* () {
      held.push(stand.handling.memory.reservedBytes);
      yield* source.call(body);
    };
    await putObject(putOf('object'), body, stand.context());
    expect(await bodyOf(await getObject(getOf('object'), stand.context()))).toEqual(pattern(bytes));
    expect(held).toEqual([Math.min(2 * PIECE, 2 * Math.min(PIECE, bytes + 101) + 128 * 1024)]);
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('stores nothing of a body that is longer than the most that may come', async () => {
    const stand = await inProcess();
    const body = { ...verifiedBody(pattern(1000), { declared: false }), mostBytes: 500 };
    expect(await refusalOf(putObject(putOf('object'), body, stand.context()))).toMatch(/^not a GatewayError/);
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
  });

  it('is refused, and nothing sent, when the budget has no room', async () => {
    const stand = await inProcess({ budgetBytes: PIECE });
    stand.asked();
    const put = putObject(putOf('object'), verifiedBody(pattern(1), { declared: false }), stand.context());
    expect(await refusalOf(put)).toBe('SlowDown');
    expect(stand.asked()).toEqual([]);
  });
});

describe('an upload of known length', () => {
  it.each([0, 1, 65_536, 131_072, 131_073, 1_048_576, 3_000_000])('of %i bytes is one request', async (bytes) => {
    const stand = await inProcess();
    await putObject(putOf('object'), verifiedBody(pattern(bytes)), stand.context());
    expect(stand.asked()).toEqual([`PUT /${BUCKET}/object`]);
    expect((await bodyOf(await getObject(getOf('object'), stand.context()))).equals(pattern(bytes))).toBe(true);
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it.each([10, 131_073, 1_000_000])('of %i bytes that turns out bad leaves nothing', async (bytes) => {
    const stand = await inProcess();
    const body = verifiedBody(pattern(bytes), { refusal: clientError('BadDigest', 'no') });
    expect(await refusalOf(putObject(putOf('object'), body, stand.context()))).toBe('BadDigest');
    expect(await stand.stored.keys(BUCKET)).toEqual([]);
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('that meets its own first copy is not told to have failed its condition', async () => {
    const stand = await inProcess();
    // Stored, and then the connection breaks before the answer: a second try would find the object there.
    stand.faults.plan({ method: 'PUT', where: isObject('object') }, { kind: 'drop', what: 'answer' });
    const put = putOf('object', { conditions: { ifNoneMatch: '*' } });
    expect(await refusalOf(putObject(put, verifiedBody(pattern(10)), stand.context()))).toBe('BackendUnavailable');
    expect(stand.asked()).toEqual([`PUT /${BUCKET}/object`]);
  });
});
