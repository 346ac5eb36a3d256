import type { ProtectionWords } from '../tenants/bucket-policy.ts';
import { injectedRow } from './injected/row.ts';
import { plainRow } from './plain/row.ts';
import type { FormatRow } from './row.ts';
import { sx1Row } from './sx1/row.ts';

/** The rows of formats by name. The first is the default of bucket policies. */
export type FormatTable = Readonly<Record<string, FormatRow>>;

/** Every format that the gateway knows. A new one is a folder and a row. */
export const FORMATS = { sx1: sx1Row, plain: plainRow, injected: injectedRow } as const satisfies FormatTable;

/** Returns the words by which the policies of buckets choose a format; the first is the default. */
export function protectionWords(table: FormatTable = FORMATS): ProtectionWords {
  return Object.values(table).map(({ protection }) => protection) as unknown as ProtectionWords;
}
