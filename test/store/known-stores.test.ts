import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { KNOWN_STORES, UNKNOWN_STORE } from '../../src/store/known-stores.ts';
import { withTables } from './stores-document.ts';

it('docs/stores.md tells what the rows say: node test/store/write-stores-document.ts', () => {
  const page = readFileSync(new URL('../../docs/stores.md', import.meta.url), 'utf8');
  expect(page).toBe(withTables(page));
});

it('each row has a name of its own, which may be a metric’s label', () => {
  const names = [...KNOWN_STORES, UNKNOWN_STORE].map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_-]*$/);
});
