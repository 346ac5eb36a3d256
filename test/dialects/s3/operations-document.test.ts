import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { S3_OPERATIONS } from '../../../src/dialects/s3/operation-table.ts';
import { operationsDocument, operationsTable, withOperationsTable } from './operations-document.ts';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

it('docs/operations.md says what the routing table says: node test/dialects/s3/write-operations-document.ts', () => {
  expect(read('docs/operations.md')).toBe(operationsDocument());
});

it('so does the table in README.md, with every operation once', () => {
  const readme = read('README.md');
  expect(readme).toBe(withOperationsTable(readme));
  const named = [...operationsTable().matchAll(/(?<=[ ,])[A-Z][A-Za-z0-9]+(?=,| \|)/g)].map(([name]) => name);
  expect(named.filter((name) => S3_OPERATIONS.some((operation) => operation.name === name)).sort()).toEqual(
    S3_OPERATIONS.map(({ name }) => name).sort(),
  );
});
