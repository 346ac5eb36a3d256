/** A range of bytes that a Range header asks for (RFC 9110 §14.1.2). `last` is inclusive. */
export type RangeRequest =
  | { readonly kind: 'from'; readonly first: number; readonly last: number | undefined }
  | { readonly kind: 'suffix'; readonly bytes: number };

/** A range of bytes in an object of known size. Both ends are inclusive. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const ONE_RANGE = /^bytes=(\d*)-(\d*)$/i;

/**
 * Reads a Range header. Returns undefined for what S3 ignores, as RFC 9110 §14.2 allows: a malformed value (also one
 * with blanks), another unit, several ranges, and a range whose last byte is before its first.
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

/** Returns which bytes of an object a range selects, or 'unsatisfiable' (416) where it selects none. */
export function resolveRange(range: RangeRequest, sizeBytes: number): ByteRange | 'unsatisfiable' {
  if (range.kind === 'suffix') {
    if (range.bytes === 0 || sizeBytes === 0) return 'unsatisfiable';
    return { first: Math.max(0, sizeBytes - range.bytes), last: sizeBytes - 1 };
  }
  if (range.first >= sizeBytes) return 'unsatisfiable';
  return { first: range.first, last: Math.min(range.last ?? sizeBytes - 1, sizeBytes - 1) };
}

/** Reads a number. One above 2^53 is replaced by the largest exact one, which is past the end of every object, too. */
function cap(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}
