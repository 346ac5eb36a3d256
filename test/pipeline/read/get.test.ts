import { describe, expect, it } from 'vitest';
import { Layout } from '../../../src/envelope/layout.ts';
import type { PutObject } from '../../../src/operations/operation.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import type { RangeRequest } from '../../../src/wire/range.ts';
import { pattern } from '../../devstore/started.ts';
import {
  BUCKET,
  bodyOf,
  elsewhere,
  getOf,
  headOf,
  type InProcess,
  inProcess,
  isObject,
  letGo,
  putOf,
  refusalOf,
  verifiedBody,
} from '../in-process.ts';

const MIB = 1024 * 1024;
const PIECE = 8 * MIB;

async function put(stand: InProcess, key: string, bytes: Buffer, options: { declared?: boolean } = {}) {
  const operation: PutObject = putOf(key);
  return await putObject(operation, verifiedBody(bytes, options), stand.context());
}

describe('many downloads at once', () => {
  // A download that holds its connection while it asks for the footer over another one: all of them would wait for ever.
  it('finish over fewer connections than there are downloads, checksums asked for', async () => {
    const stand = await inProcess({ backend: { connections: 2 } });
    const bytes = pattern(MIB);
    const keys = Array.from({ length: 6 }, (_, at) => `large-${at}`);
    for (const key of keys) await put(stand, key, bytes);
    const read = async (key: string) => bodyOf(await getObject(getOf(key, { wantsChecksum: true }), stand.context()));
    for (const body of await Promise.all(keys.map(read))) expect(body.equals(bytes)).toBe(true);
  }, 10_000);

  it('the same for multipart objects, whose layout is in their footer', async () => {
    const stand = await inProcess({ backend: { connections: 2 } });
    const bytes = pattern(PIECE + 1);
    const keys = ['one', 'two', 'three', 'four'];
    for (const key of keys) await put(stand, key, bytes, { declared: false });
    const read = async (key: string) => bodyOf(await getObject(getOf(key), stand.context()));
    for (const body of await Promise.all(keys.map(read))) expect(body.equals(bytes)).toBe(true);
  }, 20_000);
});

describe('an object that is replaced while it is read', () => {
  const before = pattern(200_000, 1);
  const after = pattern(300_000, 2);

  async function replaced(
    stand: InProcess,
    target: Parameters<InProcess['faults']['hold']>[0],
    read: () => Promise<void>,
  ) {
    const hold = stand.faults.hold(target);
    const reading = read();
    await hold.reached;
    await put(stand, 'object', after);
    hold.release();
    await reading;
  }

  it('If-Range: bytes of the new object are never served for the old one', async () => {
    const stand = await inProcess();
    const { etag } = await put(stand, 'object', before);
    await replaced(stand, { method: 'GET' }, async () => {
      const range = { kind: 'from', first: 100, last: 199 } as const;
      const content = await getObject(getOf('object', { range, ifRange: `"${etag}"` }), stand.context());
      expect(content.range).toBeUndefined();
      expect((await bodyOf(content)).equals(after)).toBe(true);
    });
  });

  it('a suffix is the suffix of what is served', async () => {
    const stand = await inProcess();
    await put(stand, 'object', before);
    await replaced(stand, { method: 'GET' }, async () => {
      const content = await getObject(getOf('object', { range: { kind: 'suffix', bytes: 10 } }), stand.context());
      expect((await bodyOf(content)).equals(after.subarray(-10))).toBe(true);
    });
  });

  it.each(['HEAD', 'GET'] as const)('%s that wants the checksum answers of the new object', async (method) => {
    const stand = await inProcess();
    await put(stand, 'object', pattern(MIB));
    const footer = {
      method: 'GET',
      where: (request: { headers: { get(name: string): string | undefined } }) =>
        /=-/.test(request.headers.get('range') ?? ''),
    };
    await replaced(stand, footer, async () => {
      const asked = { wantsChecksum: true };
      const answer =
        method === 'HEAD'
          ? await headObject(headOf('object', asked), stand.context())
          : await getObject(getOf('object', asked), stand.context());
      expect(answer.facts.plaintextBytes).toBe(after.length);
      if (method === 'GET') expect((await bodyOf(answer)).equals(after)).toBe(true);
    });
  });

  it('a client’s own condition is not mistaken for that', async () => {
    const stand = await inProcess();
    await put(stand, 'object', before);
    const range = { kind: 'from', first: 0, last: 9 } as const;
    for (const conditions of [{ ifMatch: '"another"' }]) {
      expect(await refusalOf(getObject(getOf('object', { conditions }), stand.context()))).toBe('PreconditionFailed');
      expect(await refusalOf(getObject(getOf('object', { conditions, range }), stand.context()))).toBe(
        'PreconditionFailed',
      );
      const suffix = { kind: 'suffix', bytes: 5 } as const;
      const get = getObject(getOf('object', { conditions, range: suffix }), stand.context());
      expect(await refusalOf(get)).toBe('PreconditionFailed');
    }
  });
});

describe('ranges of an object that was sent in one go', () => {
  it('cost one request, whether asked from the front, from the end or under If-Range', async () => {
    const stand = await inProcess();
    const whole = pattern(9 * 1024 * 1024);
    await put(stand, 'whole', whole);
    const { facts } = await headObject(headOf('whole'), stand.context());
    const asked = async (range: RangeRequest, ifRange?: string) => {
      stand.asked();
      const bytes = await bodyOf(await getObject(getOf('whole', { range, ifRange }), stand.context()));
      return [bytes, stand.asked().length] as const;
    };
    const last = whole.length - 1;
    // Twice: the second time it is known that no part comes before the place.
    for (let round = 0; round < 2; round++) {
      for (const first of [0, 65_535, 6_000_000, last]) {
        const [bytes, requests] = await asked({ kind: 'from', first, last: Math.min(last, first + 99) });
        expect([bytes.equals(whole.subarray(first, first + 100)), requests], `${first}`).toEqual([true, 1]);
      }
      for (const suffix of [1, 70_000, 8_000_000, whole.length, whole.length + 1]) {
        const [bytes, requests] = await asked({ kind: 'suffix', bytes: suffix });
        expect([bytes.equals(whole.subarray(-suffix)), requests], `-${suffix}`).toEqual([true, 1]);
      }
    }
    const held = await asked({ kind: 'from', first: 5, last: 9 }, `"${facts.etag}"`);
    expect(held).toEqual([whole.subarray(5, 10), 1]);
    const [bytes, requests] = await asked({ kind: 'from', first: 5, last: 9 }, '"another"');
    expect([bytes.equals(whole), requests]).toEqual([true, 2]);
  });
});

describe('ranges of a multipart object', () => {
  it('every border of parts and segments', async () => {
    const stand = await inProcess();
    const whole = pattern(2 * PIECE + 70_000);
    await put(stand, 'parts', whole, { declared: false });
    const places = [0, 1, 65_535, 65_536, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE - 1, 2 * PIECE, whole.length - 1];
    for (const first of places) {
      for (const last of [first, first + 1, first + 65_536, undefined]) {
        if (last === undefined && first < PIECE) continue;
        const content = await getObject(getOf('parts', { range: { kind: 'from', first, last } }), stand.context());
        const expected = whole.subarray(first, last === undefined ? undefined : last + 1);
        expect((await bodyOf(content)).equals(expected), `${first}-${last}`).toBe(true);
      }
    }
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('the footer is fetched once', async () => {
    const stand = await inProcess();
    await put(stand, 'parts', pattern(PIECE), { declared: false });
    stand.asked();
    const range = { kind: 'from', first: PIECE - 10, last: PIECE - 1 } as const;
    for (const requests of [2, 1]) {
      await bodyOf(await getObject(getOf('parts', { range }), stand.context()));
      expect(stand.asked().length).toBeLessThanOrEqual(requests);
    }
  });

  it('costs two requests before the footer is known, suffixes too', async () => {
    const whole = pattern(2 * PIECE + 70_000);
    const stand = await inProcess();
    await put(stand, 'parts', whole, { declared: false });
    const context = stand.context();
    for (const range of [
      { kind: 'from', first: 3, last: 5 },
      { kind: 'from', first: PIECE - 10, last: PIECE + 10 },
      { kind: 'from', first: 2 * PIECE + 65_530, last: 2 * PIECE + 65_540 },
      { kind: 'from', first: whole.length - 1, last: undefined },
      { kind: 'suffix', bytes: 1 },
      { kind: 'suffix', bytes: PIECE },
    ] as const) {
      stand.asked();
      const content = await getObject(getOf('parts', { range }), elsewhere(context));
      const wanted =
        range.kind === 'suffix'
          ? whole.subarray(whole.length - range.bytes)
          : whole.subarray(range.first, (range.last ?? whole.length) + 1);
      expect((await bodyOf(content)).equals(wanted), JSON.stringify(range)).toBe(true);
      expect(stand.asked().length, JSON.stringify(range)).toBe(2);
    }
  });

  it('costs one request once the footer is known, wherever it lies', async () => {
    const stand = await inProcess();
    const whole = pattern(2 * PIECE + 70_000);
    await put(stand, 'parts', whole, { declared: false });
    await bodyOf(await getObject(getOf('parts', { range: { kind: 'from', first: 0, last: 0 } }), stand.context()));
    for (const [first, last] of [
      [65_535, 65_536],
      [PIECE + 65_535, PIECE + 70_000],
      [PIECE - 1, 2 * PIECE],
      [2 * PIECE + 1, undefined],
      [whole.length - 1, whole.length + 100],
    ] as const) {
      stand.asked();
      const content = await getObject(getOf('parts', { range: { kind: 'from', first, last } }), stand.context());
      expect((await bodyOf(content)).equals(whole.subarray(first, (last ?? whole.length) + 1)), `${first}`).toBe(true);
      expect(stand.asked().length, `${first}`).toBe(1);
    }
  });

  it('of an object that another gateway replaced: bytes of the new one, whatever the old one looked like', async () => {
    const stand = await inProcess();
    const { layouts } = stand.memory;
    const range = { kind: 'from', first: PIECE + 100_000, last: PIECE + 200_000 } as const;
    const { ref } = getOf('object');
    await put(stand, 'object', pattern(2 * PIECE + 70_000), { declared: false });
    await bodyOf(await getObject(getOf('object', { range }), stand.context()));
    const [tenant, old] = [stand.context().tenant.name, layouts.get(stand.context().tenant.name, ref)];
    if (old === undefined) throw new Error('no footer was remembered');
    for (const bytes of [PIECE + 200_001, PIECE + 150_000, PIECE + 100_001, PIECE + 100_000, 3 * PIECE, 10]) {
      for (const declared of [true, false]) {
        const whole = pattern(bytes).reverse();
        await put(stand, 'object', whole, { declared });
        layouts.set(tenant, ref, old);
        const reading = getObject(getOf('object', { range }), stand.context());
        if (bytes <= range.first) {
          expect(await refusalOf(reading)).toBe('InvalidRange');
          continue;
        }
        expect((await bodyOf(await reading)).equals(whole.subarray(range.first, range.last + 1)), `${bytes}`).toBe(
          true,
        );
      }
    }
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('of an object that was once of so many parts that its bytes lay where the new one has ended', async () => {
    const stand = await inProcess();
    const { layouts } = stand.memory;
    const { ref } = getOf('object');
    const tenant = stand.context().tenant.name;
    await put(stand, 'object', pattern(PIECE + 1), { declared: false });
    await bodyOf(await getObject(getOf('object', { range: { kind: 'from', first: 0, last: 0 } }), stand.context()));
    const known = layouts.get(tenant, ref);
    if (known === undefined) throw new Error('no footer was remembered');
    const parts = Array.from({ length: 2_000 }, (_, at) => ({
      ...(known.manifest.parts[0] as (typeof known.manifest.parts)[number]),
      partNumber: at + 1,
      plaintextBytes: 1_000,
    }));
    const whole = pattern(1_900_001);
    await put(stand, 'object', whole);
    layouts.set(tenant, ref, { ...known, layout: Layout.fromManifest({ ...known.manifest, parts }, 0) });
    const range = { kind: 'from', first: 1_900_000, last: 1_900_100 } as const;
    const content = await getObject(getOf('object', { range }), stand.context());
    expect((await bodyOf(content)).equals(whole.subarray(1_900_000))).toBe(true);
  });
});

describe('what a download holds', () => {
  it('is given back however it ends', async () => {
    const stand = await inProcess({ backend: { connections: 2 } });
    const { memory: budget } = stand.handling;
    await put(stand, 'object', pattern(2 * MIB));
    for (let round = 0; round < 5; round++) {
      const unread = await getObject(getOf('object'), stand.context());
      expect(budget.reservedBytes).toBeGreaterThan(0);
      await letGo(unread);
      expect(budget.reservedBytes).toBe(0);
      const begun = await getObject(getOf('object'), stand.context());
      for await (const piece of begun.body as AsyncIterable<Buffer>) {
        expect(piece.length).toBeGreaterThan(0);
        break;
      }
      expect(budget.reservedBytes).toBe(0);
      await bodyOf(await getObject(getOf('object'), stand.context()));
      expect(budget.reservedBytes).toBe(0);
    }
    await stand.stored.flip(BUCKET, 'object', 64);
    expect(await refusalOf(getObject(getOf('object'), stand.context()))).toBe('ObjectCorrupted');
    expect(budget.reservedBytes).toBe(0);
    await stand.stored.flip(BUCKET, 'object', 64);
    await stand.stored.flip(BUCKET, 'object', MIB);
    const half = await getObject(getOf('object'), stand.context());
    expect(await refusalOf(bodyOf(half))).toBe('ObjectCorrupted');
    expect(budget.reservedBytes).toBe(0);
    stand.faults.plan({ where: isObject('object') }, { kind: 'cut answer', afterBytes: 100_000, by: 'reset' });
    const cut = getObject(getOf('object'), stand.context()).then(bodyOf);
    expect(await refusalOf(cut)).toBe('BackendUnavailable');
    expect(budget.reservedBytes).toBe(0);
  });
});
