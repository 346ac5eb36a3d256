/** A Range header with one byte range (RFC 9110 §14.1.2). Several ranges, or another unit, parse to undefined. */
export type RangeRequest =
  | { readonly kind: 'from'; readonly first: number; readonly last: number | undefined }
  | { readonly kind: 'suffix'; readonly bytes: number };

/** A range within a known size; `last` is inclusive. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const ONE_RANGE = /^bytes=(\d*)-(\d*)$/i;

/**
 * undefined for what S3 ignores, and RFC 9110 §14.2 lets be ignored: malformed (blanks within it too), another unit,
 * several ranges, last before first.
 */
export function parseRange(value: string | undefined): RangeRequest | undefined {
  if (value === undefined) return undefined;
  const match = ONE_RANGE.exec(value);
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  if (first === '') return { kind: 'suffix', bytes: cap(last) };
  if (last === '') return { kind: 'from', first: cap(first), last: undefined };
  const range = { kind: 'from', first: cap(first), last: cap(last) } as const;
  return range.last < range.first ? undefined : range;
}

/** The bytes a range selects, or 'unsatisfiable' (416). */
export function resolveRange(range: RangeRequest, sizeBytes: number): ByteRange | 'unsatisfiable' {
  if (range.kind === 'suffix') {
    if (range.bytes === 0 || sizeBytes === 0) return 'unsatisfiable';
    return { first: Math.max(0, sizeBytes - range.bytes), last: sizeBytes - 1 };
  }
  if (range.first >= sizeBytes) return 'unsatisfiable';
  return { first: range.first, last: Math.min(range.last ?? sizeBytes - 1, sizeBytes - 1) };
}

/** A number past 2^53 is past every object's end anyway. */
function cap(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
