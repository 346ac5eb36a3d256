import type { StoredObject } from '../dialects/dialect.ts';
import { clientError } from '../errors.ts';
import type { GetObject } from '../operations/operation.ts';
import { type ByteRange, type RangeRequest, resolveRange } from '../wire/range.ts';
import { backendEtags } from './etag.ts';

/**
 * What to serve of an object: undefined for all of it, also where If-Range says that it is another one now.
 * @throws GatewayError InvalidRange
 */
export function wantedRange(
  { range, ifRange }: Pick<GetObject, 'range' | 'ifRange'>,
  object: { readonly stored: StoredObject; readonly plaintextBytes: number },
): ByteRange | undefined {
  if (range === undefined) return undefined;
  if (ifRange !== undefined && !rangeStillHolds(backendEtags(ifRange) ?? ifRange, object.stored)) return undefined;
  return satisfiable(range, object.plaintextBytes);
}

/** @throws GatewayError InvalidRange */
export function satisfiable(range: RangeRequest, plaintextBytes: number): ByteRange {
  const resolved = resolveRange(range, plaintextBytes);
  if (resolved !== 'unsatisfiable') return resolved;
  throw clientError('InvalidRange', 'The requested range begins past the end of the object.', {
    details: { ActualObjectSize: String(plaintextBytes) },
  });
}

/** RFC 9110 §13.1.5: a strong ETag that matches, or exactly the Last-Modified date. `ifRange` in the backend's form. */
function rangeStillHolds(ifRange: string, stored: StoredObject): boolean {
  const value = ifRange.trim();
  if (value.startsWith('"')) return value === `"${stored.etag}"`;
  if (value.startsWith('W/')) return false;
  const date = Date.parse(value);
  return !Number.isNaN(date) && date === Math.floor(stored.lastModified.getTime() / 1000) * 1000;
}
