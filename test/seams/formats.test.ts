import { BucketFormats } from '../../src/formats/bucket-formats.ts';
import { PlainSizeCache } from '../../src/formats/plain-sizes.ts';
import { openFormats } from '../../src/formats/table.ts';
import { type FormatCase, formatConformance } from './format-conformance.ts';
import { toyFormat } from './toy-format/toy-format.ts';

const { plain, sx1 } = openFormats();
const toy = new BucketFormats({
  write: toyFormat,
  read: [toyFormat],
  unmarked: undefined,
  mayLoseMarks: [],
  knownSizes: new PlainSizeCache(1000),
});

const FORMATS_UNDER_TEST: readonly FormatCase[] = [
  { format: plain, policy: { protection: 'none' }, authenticates: false, readsToo: [sx1], readsUnmarked: true },
  { format: sx1, authenticates: true, readsToo: [], readsUnmarked: false },
  // The toy is registered here alone.
  { format: toyFormat, formats: toy, authenticates: false, readsToo: [], readsUnmarked: false },
];

for (const one of FORMATS_UNDER_TEST) formatConformance(one, FORMATS_UNDER_TEST);
