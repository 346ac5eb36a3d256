import type { FormatRow } from '../row.ts';
import { plain } from './format.ts';

/** The row of objects that are stored as they were sent. Sealed objects are read in their buckets, too. */
export const plainRow = {
  protection: 'none',
  about: 'nothing is sealed: plaintext at rest',
  reads: ['sx1'],
  open: () => plain,
} satisfies FormatRow;
