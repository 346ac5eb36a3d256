import { readFileSync, writeFileSync } from 'node:fs';
import { operationsDocument, withOperationsTable } from './operations-document.ts';

const at = (path: string) => new URL(`../../../${path}`, import.meta.url);
writeFileSync(at('docs/operations.md'), operationsDocument());
writeFileSync(at('README.md'), withOperationsTable(readFileSync(at('README.md'), 'utf8')));
