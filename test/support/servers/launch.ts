import { join } from 'node:path';

/** The gateway's program. Whoever imports this starts processes, so its tests are integration tests (see rings.ts). */
export const LAUNCH = join(import.meta.dirname, '../../../src/launch.js');
