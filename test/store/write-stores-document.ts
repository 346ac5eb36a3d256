import { readFileSync, writeFileSync } from 'node:fs';
import { withTables } from './stores-document.ts';

const page = new URL('../../docs/stores.md', import.meta.url);
writeFileSync(page, withTables(readFileSync(page, 'utf8')));
