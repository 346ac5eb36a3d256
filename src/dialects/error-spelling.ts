import { ERROR_KINDS, type ErrorCode, type RootErrorCode } from '../errors.ts';

/** What a client of some dialect is told of an error: the HTTP status and the vendor's word. */
export interface ErrorSpelling {
  readonly status: number;
  readonly code: string;
}

/** The vendor's word alone, where the status is the neutral one; else both. */
type ErrorRow = string | ErrorSpelling;

/** A dialect's words. Only the codes that are like no other must have a row; what an absent row says stands in ERROR_KINDS. */
export type ErrorRows = Readonly<Record<RootErrorCode, ErrorRow>> & Readonly<Partial<Record<ErrorCode, ErrorRow>>>;

/** The spelling of every error code in one dialect. A code without a row has status and word of the code that it is like. */
export function spellErrors(rows: ErrorRows): Readonly<Record<ErrorCode, ErrorSpelling>> {
  const codes = Object.keys(ERROR_KINDS) as ErrorCode[];
  return Object.fromEntries(codes.map((code) => [code, spelling(code, rows)])) as Record<ErrorCode, ErrorSpelling>;
}

function spelling(code: ErrorCode, rows: ErrorRows): ErrorSpelling {
  const row = rows[code];
  const { status, like } = ERROR_KINDS[code];
  if (typeof row === 'string') return { status, code: row };
  if (row !== undefined) return row;
  if (like === undefined) throw new Error(`A dialect has no row for ${code}, which is like no other error.`);
  return spelling(like, rows);
}
