import { expect, test } from 'vitest';
import { Turns } from '../../src/shares/turns.ts';

test('work of one name is done in turn, whatever becomes of it, and other names do not wait', async () => {
  const turns = new Turns();
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
    turns.take('one', work('a', first.promise)),
    turns.take('one', work('b')),
    turns.take('one', work('c')),
    turns.take('two', work('d')),
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
  expect(await turns.take('one', work('e'))).toBe('e');
});
