import { describe, expect, it } from 'vitest';
import { PlainSizeCache } from '../../../src/formats/plain-sizes.ts';
import type { ObjectListing } from '../../../src/operations/answer.ts';
import { listObjects, listVersions } from '../../../src/pipeline/bucket/list.ts';
import type { OperationContext } from '../../../src/pipeline/context.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import { Store } from '../../../src/store/store.ts';
import { pattern } from '../../devstore/started.ts';
import { type AlteredRows, s3With } from '../../support/altered-rows.ts';
import { BUCKET, headOf, type InProcess, inProcess, listOf, putOf, refusalOf, verifiedBody } from '../in-process.ts';

async function listed(context: OperationContext): Promise<ObjectListing['objects']> {
  const { objects, release } = await listObjects(listOf(), context);
  release();
  return objects;
}

async function sizesOf(context: OperationContext): Promise<[string, number][]> {
  return (await listed(context)).map(({ key, plaintextBytes }) => [key, plaintextBytes]);
}

const isListing = ({ target }: { target: { rawQuery: string } }): boolean => target.rawQuery.includes('list-type=2');

describe('a listing of a sealed bucket', () => {
  it('asks the backend for nothing but its own listing', async () => {
    const stand = await inProcess();
    for (const key of ['a', 'b']) await putObject(putOf(key), verifiedBody(pattern(70_000)), stand.context());
    stand.asked();
    expect(await sizesOf(stand.context())).toEqual([
      ['a', 70_000],
      ['b', 70_000],
    ]);
    expect(stand.asked()).toHaveLength(1);
  });

  it('holds what it reserved until its answer was written', async () => {
    const stand = await inProcess();
    await putObject(putOf('a'), verifiedBody(pattern(10)), stand.context());
    const { memory: budget } = stand.handling;
    const listing = await listObjects(listOf(), stand.context());
    const versions = await listVersions(
      { ...listOf(), kind: 'ListObjectVersions', keyMarker: '', versionIdMarker: '' },
      stand.context(),
    );
    expect(budget.reservedBytes).toBeGreaterThan(200_000);
    listing.release();
    versions.release();
    versions.release();
    expect(budget.reservedBytes).toBe(0);
  });

  it('larger than what may be held in flight is refused for now', async () => {
    const stand = await inProcess({ budgetBytes: 400_000 });
    for (let at = 0; at < 300; at++) await stand.stored.overwrite(BUCKET, `${at}${'x'.repeat(1000)}`, pattern(1));
    expect(await refusalOf(listObjects(listOf(), stand.context()))).toBe('SlowDown');
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it.each(['close', 'reset'] as const)('that breaks off in the backend is an error: %s', async (by) => {
    const stand = await inProcess();
    for (let at = 0; at < 20; at++) await stand.stored.overwrite(BUCKET, `key-${at}`, pattern(1));
    for (const afterBytes of [1, 1000, 3000]) {
      stand.faults.plan({ where: isListing }, { kind: 'cut answer', afterBytes, by });
      expect(await refusalOf(listObjects(listOf(), stand.context()))).toBe('BackendUnavailable');
      expect([stand.faults.left, stand.handling.memory.reservedBytes]).toEqual([0, 0]);
    }
    expect(await listed(stand.context())).toHaveLength(20);
  });

  it('that is truncated and does not say how to go on would look complete: it is refused', async () => {
    const stand = await inProcess();
    const withStore = (altered: AlteredRows): OperationContext => ({
      ...stand.context(),
      store: new Store(s3With(altered), stand.connection),
    });
    const nothing = { entries: [], commonPrefixes: [], truncated: true, nextMarker: undefined };
    const objects = withStore({
      list: { read: async () => ({ ...nothing, nextContinuationToken: undefined }) },
    });
    expect(await refusalOf(listObjects(listOf(), objects))).toBe('BackendError');
    expect(await refusalOf(listObjects(listOf({ form: 1 }), objects))).toBe('BackendError');
    const versions = withStore({
      listVersions: {
        read: async () => ({ ...nothing, nextKeyMarker: undefined, nextVersionIdMarker: undefined }),
      },
    });
    const asked = { ...listOf(), kind: 'ListObjectVersions', keyMarker: '', versionIdMarker: '' } as const;
    expect(await refusalOf(listVersions(asked, versions))).toBe('BackendError');
  });
});

describe('a listing of a mixed bucket', () => {
  it('tells each object’s own plaintext size, as HEAD does, and asks the backend once', async () => {
    const stand = await inProcess();
    const sizes: Record<string, number> = { empty: 0, small: 100, large: 200_000 };
    for (const [key, bytes] of Object.entries(sizes)) {
      await putObject(putOf(`sealed-${key}`), verifiedBody(pattern(bytes)), stand.context());
    }
    // 528 bytes are what an empty sealed object takes: a size alone does not tell them apart.
    for (const bytes of [0, 5, 528, 1000]) await stand.stored.overwrite(BUCKET, `plain-${bytes}`, pattern(bytes));
    const mixed = stand.context({ mixed: true });
    for (const heads of [undefined, 0]) {
      stand.asked();
      const objects = await listed(mixed);
      if (heads !== undefined) expect(stand.asked().filter((line) => line.startsWith('HEAD'))).toHaveLength(heads);
      expect(objects.map(({ key, plaintextBytes }) => [key, plaintextBytes])).toEqual([
        ['plain-0', 0],
        ['plain-1000', 1000],
        ['plain-5', 5],
        ['plain-528', 528],
        ['sealed-empty', 0],
        ['sealed-large', 200_000],
        ['sealed-small', 100],
      ]);
      for (const { key, plaintextBytes, etag } of objects) {
        const { facts } = await headObject(headOf(key), mixed);
        expect([facts.plaintextBytes, facts.etag]).toEqual([plaintextBytes, etag]);
      }
    }
  });

  it('learns of a replaced object', async () => {
    const stand = await inProcess();
    const mixed = stand.context({ mixed: true });
    await stand.stored.overwrite(BUCKET, 'object', pattern(528));
    expect(await sizesOf(mixed)).toEqual([['object', 528]]);
    await putObject(putOf('object'), verifiedBody(Buffer.alloc(0)), mixed);
    expect(await sizesOf(mixed)).toEqual([['object', 0]]);
  });

  async function twoUnknown(): Promise<InProcess> {
    const stand = await inProcess();
    for (const key of ['a', 'b']) await stand.stored.overwrite(BUCKET, key, pattern(528));
    return stand;
  }

  it('fails when a size could not be learned: a wrong one would look like a changed object', async () => {
    const stand = await twoUnknown();
    const mixed = stand.context({ mixed: true });
    stand.faults.plan({ method: 'HEAD', times: 10 }, { kind: 'refuse', status: 503, code: 'ServiceUnavailable' });
    expect(await refusalOf(listObjects(listOf(), mixed))).toBe('BackendUnavailable');
    expect(stand.handling.memory.reservedBytes).toBe(0);
    stand.faults.clear();
    expect(await sizesOf(mixed)).toEqual([
      ['a', 528],
      ['b', 528],
    ]);
  });

  it.each([
    [404, 'NoSuchKey'],
    [403, 'AccessDenied'],
  ])('shows an object that cannot be looked at as it is stored: %d %s', async (status, code) => {
    const stand = await twoUnknown();
    stand.faults.plan({ method: 'HEAD' }, { kind: 'refuse', status, code });
    expect(await sizesOf(stand.context({ mixed: true }))).toHaveLength(2);
    expect(stand.faults.left).toBe(0);
  });
});

describe('sizes that are remembered', () => {
  it('are bounded in bytes, whatever the keys', () => {
    const sizes = new PlainSizeCache(100_000);
    for (let at = 0; at < 1000; at++) sizes.set('b', `${at}-${'k'.repeat(1000)}`, 'e', 528, at);
    const kept = Array.from({ length: 1000 }, (_, at) => sizes.get('b', `${at}-${'k'.repeat(1000)}`, 'e', 528));
    expect(kept.filter((size) => size !== undefined).length).toBeLessThan(100);
    expect(kept.at(-1)).toBe(999);
  });

  it('belong to one object of one size at one place', () => {
    const sizes = new PlainSizeCache(100_000);
    sizes.set('b', 'k', 'e', 528, 0);
    expect(sizes.get('b', 'k', 'e', 528)).toBe(0);
    const others = [sizes.get('c', 'k', 'e', 528), sizes.get('b', 'l', 'e', 528), sizes.get('b', 'k', 'f', 528)];
    expect([...others, sizes.get('b', 'k', 'e', 529)]).toEqual([undefined, undefined, undefined, undefined]);
  });
});
