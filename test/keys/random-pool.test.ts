import { expect, it } from 'vitest';
import { createRandomPool } from '../../src/keys/random-pool.ts';

it('hands every byte out once, across refills and for more than the pool holds', () => {
  const draw = createRandomPool();
  const seen = new Set<string>();
  for (let count = 0; count < 3000; count++) {
    const drawn = draw(16);
    expect(drawn.length).toBe(16);
    seen.add(drawn.toString('hex'));
  }
  expect(seen.size).toBe(3000);
  expect(seen.has('0'.repeat(32))).toBe(false);
  const large = draw(20_000);
  expect([large.length, new Set(large).size]).toEqual([20_000, 256]);
});

it('gives copies: what the caller does to them reaches nobody else', () => {
  const draw = createRandomPool();
  const first = draw(32);
  const kept = Buffer.from(first);
  draw(32).fill(0);
  expect(first).toEqual(kept);
});
