import { expect, test } from 'vitest';
import { matchesWildcards } from '../../src/operations/wildcards.ts';
import fc from '../support/property.ts';

test.each([
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', 'a/b', true],
  ['?', '', false],
  ['?', '/', true],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['a*c', 'ac', true],
  ['a*c', 'abcd', false],
  ['a*b*c', 'a.b.b.c', true],
  ['a*b*c', 'a.c.b', false],
  ['b/*', 'b/', true],
  ['b/*', 'b', false],
  ['b/*', 'B/k', false],
  ['b/*.txt', 'b/x/y.txt', true],
  ['b/.', 'b/x', false],
  ['**?*', '', false],
  ['**?*', 'x', true],
  ['a?c', 'a😀c', true],
  ['?', 'ab', false],
  ['a?', 'a?', true],
  [`${'a'.repeat(31)}*`, 'a'.repeat(31), true],
  [`*${'a'.repeat(31)}`, 'a'.repeat(40), true],
  [`*${'a'.repeat(32)}b*`, `${'a'.repeat(64)}b`, true],
  [`*${'a'.repeat(64)}b*`, `${'a'.repeat(63)}b`, false],
])('%s matches %s: %s', (pattern, text, matches) => {
  expect(matchesWildcards(pattern, text)).toBe(matches);
});

test('it matches as a regular expression does', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (pattern, text) => {
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
      expect(matchesWildcards(pattern, text)).toBe(expression.test(text));
    }),
  );
});

test('a pattern with many stars takes no longer than it must', () => {
  const startedAt = performance.now();
  expect(matchesWildcards(`${'*a'.repeat(5000)}b`, 'a'.repeat(1024))).toBe(false);
  // A regular expression would not end within the life of this test.
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

test('patterns that fit almost everywhere take no longer either', () => {
  const text = `b/${'a'.repeat(1020)}`;
  const startedAt = process.cpuUsage();
  // Those of a policy of 20 KiB, for the keys of one DeleteObjects. Tried place by place, they took minutes.
  for (const end of ['c', '?c']) {
    const pattern = `b/*${'a'.repeat(510)}${end}`;
    for (let at = 0; at < 2000; at++) expect(matchesWildcards(pattern, text)).toBe(false);
  }
  expect(process.cpuUsage(startedAt).user / 1e6).toBeLessThan(5);
});
