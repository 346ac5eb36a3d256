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
