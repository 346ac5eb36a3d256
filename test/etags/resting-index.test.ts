import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import type { EtagIndex } from '../../src/etags/etag-index.ts';
import { restingIndex } from '../../src/etags/resting-index.ts';
import { someEntry } from './etag-index-contract.ts';

it('an index that fails knows nothing, is left alone for a second, and is counted', async () => {
  let now = 0;
  let fails = true;
  let asked = 0;
  const entry = someEntry();
  const answer = async <T>(value: T): Promise<T> => {
    asked++;
    if (fails) throw new Error('away');
    return value;
  };
  const index: EtagIndex = {
    read: () => answer([entry.entry]),
    write: () => answer(undefined),
    close: async () => undefined,
  };
  const failures: string[] = [];
  const resting = restingIndex(index, { indexFailed: (verb) => failures.push(verb) }, () => now);
  expect(await resting.read([entry.name, randomBytes(16)])).toEqual([undefined, undefined]);
  await resting.write([entry]);
  expect([asked, failures]).toEqual([1, ['read', 'write']]);
  now = 999;
  await resting.write([entry]);
  expect(asked).toBe(1);
  now = 1000;
  fails = false;
  expect(await resting.read([entry.name])).toEqual([entry.entry]);
  expect([asked, failures.length]).toEqual([2, 3]);
});
