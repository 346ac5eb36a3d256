import type { FormatMemory, FormatRow } from '../row.ts';
import { Sx1Format } from './format.ts';

/** The row of SX1, the gateway's own sealed format. */
export const sx1Row = {
  protection: 'seal',
  about: 'objects are sealed',
  reads: ['sx1'],
  open: ({ knownSizes }: FormatMemory) => new Sx1Format(knownSizes),
} satisfies FormatRow;
