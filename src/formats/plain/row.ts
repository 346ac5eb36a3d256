import type { FormatRow } from '../row.ts';
import { plain } from './format.ts';

/** Objects that lie as they were sent. Their buckets read sealed objects, too. */
export const plainRow = {
  protection: 'none',
  about: 'nothing is sealed: plaintext at rest',
  reads: ['sx1'],
  open: () => plain,
} satisfies FormatRow;
