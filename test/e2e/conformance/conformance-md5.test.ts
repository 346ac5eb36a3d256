import { STORES } from '../../support/servers/stand.ts';
import { describeConformance } from './conformance.ts';

for (const [name, start] of STORES) describeConformance(name, start, 'md5');
