import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { operationsDocument } from './operations-document.ts';

it('docs/operations.md says what the routing table says', () => {
  expect(readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')).toBe(operationsDocument());
});
