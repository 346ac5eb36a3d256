import { expect, test } from 'vitest';
import { inTurn } from '../../src/store/mend/completes-in-turn.ts';

test('work of one name is done in turn, whatever becomes of it, and other names do not wait', async () => {
  const told: string[] = [];
  const first = Promise.withResolvers<void>();
  const work = (name: string, until?: Promise<void>) => async () => {
    told.push(`${name} begins`);
    await until;
    told.push(`${name} ends`);
    if (name === 'b') throw new Error('b failed');
    return name;
  };
  const all = [
    inTurn('one', work('a', first.promise)),
    inTurn('one', work('b')),
    inTurn('one', work('c')),
    inTurn('two', work('d')),
  ];
  await all[3];
  expect(told).toEqual(['a begins', 'd begins', 'd ends']);
  first.resolve();
  expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ]);
  expect(told.slice(3)).toEqual(['a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  expect(await inTurn('one', work('e'))).toBe('e');
});
