import { INJECT } from '../../tenants/bucket-policy.ts';
import type { FormatRow } from '../row.ts';
import { InjectedFormat } from './format.ts';

/** The row of objects that the store encrypts by itself. Sealed objects are read in their buckets, too. */
export const injectedRow = {
  protection: INJECT,
  about: 'nothing is sealed: the store encrypts by itself, as inject=… says',
  reads: ['sx1'],
  storeEncrypts: true,
  open: () => new InjectedFormat(),
} satisfies FormatRow;
