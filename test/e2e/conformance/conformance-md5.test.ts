import { STORES } from '../../support/servers/every-store.ts';
import { describeConformance } from './conformance.ts';

for (const [name, start] of STORES) describeConformance(name, start, 'md5');
