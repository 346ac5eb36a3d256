import { describe, expect, it } from 'vitest';
import { headObject } from '../../src/pipeline/head.ts';
import { listObjects } from '../../src/pipeline/list.ts';
import { putObject } from '../../src/pipeline/put.ts';
import { pattern } from '../devstore/started.ts';
import { BUCKET, headOf, inProcess, listOf, putOf, verifiedBody } from './in-process.ts';

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
      const { objects } = await listObjects(listOf(), mixed);
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
    expect((await listObjects(listOf(), mixed)).objects[0]?.plaintextBytes).toBe(528);
    await putObject(putOf('object'), verifiedBody(Buffer.alloc(0)), mixed);
    expect((await listObjects(listOf(), mixed)).objects[0]?.plaintextBytes).toBe(0);
  });
});
