import { ERROR_KINDS, type ErrorCode, type RootErrorCode } from '../errors.ts';

/** How a dialect tells a client of an error: the HTTP status and the vendor's error code. */
export interface ErrorSpelling {
  readonly status: number;
  readonly code: string;
}

/** Either the vendor's code alone, where the HTTP status is the one in ERROR_KINDS, or code and status. */
type ErrorRow = string | ErrorSpelling;

/**
 * A dialect's table of errors. A row may be missing where ERROR_KINDS says that the error is like another one: then it
 * is spelled as that one.
 */
export type ErrorRows = Readonly<Record<RootErrorCode, ErrorRow>> & Readonly<Partial<Record<ErrorCode, ErrorRow>>>;

/** Completes a dialect's table: a code without a row gets the status and the code of the error that it is like. */
export function spellErrors(rows: ErrorRows): Readonly<Record<ErrorCode, ErrorSpelling>> {
  const codes = Object.keys(ERROR_KINDS) as ErrorCode[];
  return Object.fromEntries(codes.map((code) => [code, spelling(code, rows)])) as Record<ErrorCode, ErrorSpelling>;
}

function spelling(code: ErrorCode, rows: ErrorRows): ErrorSpelling {
  const row = rows[code];
  const { status, like } = ERROR_KINDS[code];
  if (typeof row === 'string') return { status, code: row };
  if (row !== undefined) return row;
  if (like === undefined) throw new Error(`A dialect must have a row for ${code}, since it is like no other error.`);
  return spelling(like, rows);
}
