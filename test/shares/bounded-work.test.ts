import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { forEachOf } from '../../src/shares/bounded-work.ts';

test('every item once, never more at once than allowed', async () => {
  const seen: number[] = [];
  let now = 0;
  let most = 0;
  await forEachOf(
    Array.from({ length: 50 }, (_, at) => at),
    7,
    async (item, at) => {
      expect(item).toBe(at);
      most = Math.max(most, ++now);
      await setImmediate();
      now--;
      seen.push(item);
    },
  );
  expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, at) => at));
  expect(most).toBe(7);
  await forEachOf([], 7, () => Promise.reject(new Error('never')));
});

test('the first failure is thrown, what is under way ends, and nothing more begins', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = async (item: number): Promise<void> => {
    begun.push(item);
    if (item === 1) throw new Error('first');
    await setImmediate();
    ended.push(item);
    if (item === 2) throw new Error('second');
  };
  await expect(forEachOf([0, 1, 2, 3, 4, 5], 3, work)).rejects.toThrow('first');
  expect([begun, ended]).toEqual([
    [0, 1, 2],
    [0, 2],
  ]);
});
