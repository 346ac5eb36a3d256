import { BucketFormats } from '../../src/formats/bucket-formats.ts';
import { FORMATS } from '../../src/formats/table.ts';
import { type FormatCase, formatConformance } from './format-conformance.ts';
import { toyFormat } from './toy-format/toy-format.ts';

const { plain, sx1 } = FORMATS;
const toy = new BucketFormats({ write: toyFormat, read: [toyFormat], unmarked: undefined, mayLoseMarks: [] });

const FORMATS_UNDER_TEST: readonly FormatCase[] = [
  { format: plain, policy: { protection: 'none' }, authenticates: false, readsToo: [sx1], readsUnmarked: true },
  { format: sx1, authenticates: true, readsToo: [], readsUnmarked: false },
  // The toy is registered here alone.
  { format: toyFormat, formats: toy, authenticates: false, readsToo: [], readsUnmarked: false },
];

for (const one of FORMATS_UNDER_TEST) formatConformance(one, FORMATS_UNDER_TEST);
