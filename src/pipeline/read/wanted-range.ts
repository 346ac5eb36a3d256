import { ConclusiveError, type GatewayError, type Proof, type Proven } from '../../errors.ts';
import type { IdentifiedObject, PartPlace } from '../../formats/format.ts';
import type { GetObject } from '../../operations/operation.ts';
import { backendEtags } from '../../store/etag.ts';
import { type ByteRange, resolveRange } from '../../wire/range.ts';
import type { OperationContext } from '../context.ts';
import { shownEtag } from '../etags/shown-etag.ts';

/** What of an object's plaintext is to be served. */
export interface Wanted {
  /** undefined: all of it. Of a part without bytes, `last` comes before `first`. */
  readonly range: ByteRange | undefined;
  /** Where a part is asked for: how many there are; undefined when the object was sent in one go. */
  readonly partsCount: number | undefined;
}

const ALL: Wanted = { range: undefined, partsCount: undefined };

/** Whether nothing is served: a part may have no bytes. */
export function isEmpty({ range }: Wanted): boolean {
  return range !== undefined && range.last < range.first;
}

/**
 * Resolves what is to be served of an object: a part, a range, or all of it, also where If-Range says that it is another
 * object now.
 * @throws GatewayError InvalidRange, InvalidPartNumber, and ObjectCorrupted where the object is not as long as the store
 *   says
 */
export async function wantedOf(
  { range, part, ifRange }: Pick<GetObject, 'range' | 'part' | 'ifRange'>,
  object: IdentifiedObject,
  context: OperationContext,
): Promise<Wanted> {
  if (part !== undefined) return partOf(object, part);
  if (range === undefined) return ALL;
  if (ifRange !== undefined && !(await rangeStillHolds(ifRange.trim(), object, context))) return ALL;
  const plaintextBytes = object.provenBytes ?? (await object.details()).plaintextBytes;
  const resolved = resolveRange(range, plaintextBytes);
  if (resolved !== 'unsatisfiable') return { range: resolved, partsCount: undefined };
  throw pastTheEnd(plaintextBytes, 'The requested range begins past the end of the object.');
}

async function partOf(object: IdentifiedObject, part: number): Promise<PartPlace> {
  const place = await object.part(part);
  if (place.range === undefined) throw noSuchPart(part, place.partsCount, object);
  return place;
}

/** InvalidRange. It takes a proof of the length: programs that resume a download take "past the end" for its end. */
export function pastTheEnd(plaintextBytes: Proven<number>, message: string): GatewayError {
  return new ConclusiveError('InvalidRange', message, {
    proof: plaintextBytes,
    details: { ActualObjectSize: String(plaintextBytes) },
  });
}

/** InvalidPartNumber. @param object the proof: what is known of it says how many parts there are */
function noSuchPart(part: number, count: number, object: Proof): GatewayError {
  return new ConclusiveError('InvalidPartNumber', 'The requested partnumber is not satisfiable', {
    proof: object,
    details: { PartNumberRequested: String(part), ActualPartCount: String(count) },
  });
}

/** If-Range holds for a strong ETag that matches, or for exactly the Last-Modified date (RFC 9110 §13.1.5). */
async function rangeStillHolds(ifRange: string, object: IdentifiedObject, context: OperationContext): Promise<boolean> {
  const { etag, lastModified } = object.stored;
  if (ifRange.startsWith('"')) {
    if (backendEtags(ifRange) === `"${etag}"`) return true;
    return ifRange === `"${await shownEtag(object, context)}"`;
  }
  if (ifRange.startsWith('W/')) return false;
  const date = Date.parse(ifRange);
  return !Number.isNaN(date) && date === Math.floor(lastModified.getTime() / 1000) * 1000;
}
