import { STORES } from '../support/stand.ts';
import { describeConformance } from './conformance/conformance.ts';

for (const [name, start] of STORES) describeConformance(name, start, 'md5');
