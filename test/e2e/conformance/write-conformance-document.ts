import { writeFileSync } from 'node:fs';
import { conformanceDocument } from './conformance-document.ts';

writeFileSync(new URL('../../../docs/conformance.md', import.meta.url), conformanceDocument());
