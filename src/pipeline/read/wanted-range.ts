import { ConclusiveError, type GatewayError, type Proven } from '../../errors.ts';
import { type PlainObject, provenLength, type SealedObject } from '../../formats/sx1/stored.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { GetObject } from '../../operations/operation.ts';
import { backendEtags } from '../../store/etag.ts';
import { type ByteRange, resolveRange } from '../../wire/range.ts';
import type { OperationContext } from '../context.ts';
import { shownEtag } from '../etags/shown-etag.ts';

/**
 * What to serve of an object: undefined for all of it, also where If-Range says that it is another one now.
 * @throws GatewayError InvalidRange, and ObjectCorrupted where the object is not as long as the store says
 */
export async function wantedRange(
  { ref, range, ifRange }: Pick<GetObject, 'ref' | 'range' | 'ifRange'>,
  object: SealedObject | PlainObject,
  context: OperationContext,
): Promise<ByteRange | undefined> {
  if (range === undefined) return undefined;
  if (ifRange !== undefined && !(await rangeStillHolds(ifRange.trim(), object, ref, context))) return undefined;
  const plaintextBytes = await provenLength(object, ref, context);
  const resolved = resolveRange(range, plaintextBytes);
  if (resolved !== 'unsatisfiable') return resolved;
  throw pastTheEnd(plaintextBytes, 'The requested range begins past the end of the object.');
}

/** Takes a proof of the length: a program that resumes a download takes "past the end" for a sign that it has all of it. */
export function pastTheEnd(plaintextBytes: Proven<number>, message: string): GatewayError {
  return new ConclusiveError('InvalidRange', message, {
    proof: plaintextBytes,
    details: { ActualObjectSize: String(plaintextBytes) },
  });
}

/** RFC 9110 §13.1.5: a strong ETag that matches, or exactly the Last-Modified date. */
async function rangeStillHolds(
  ifRange: string,
  object: SealedObject | PlainObject,
  ref: ObjectRef,
  context: OperationContext,
): Promise<boolean> {
  const { etag, lastModified } = object.stored;
  if (ifRange.startsWith('"')) {
    if (backendEtags(ifRange) === `"${etag}"`) return true;
    return ifRange === `"${await shownEtag(object, ref, context)}"`;
  }
  if (ifRange.startsWith('W/')) return false;
  const date = Date.parse(ifRange);
  return !Number.isNaN(date) && date === Math.floor(lastModified.getTime() / 1000) * 1000;
}
