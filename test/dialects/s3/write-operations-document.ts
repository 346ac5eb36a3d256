import { writeFileSync } from 'node:fs';
import { operationsDocument } from './operations-document.ts';

writeFileSync(new URL('../../../docs/operations.md', import.meta.url), operationsDocument());
