import { ConclusiveError, type GatewayError, type Proof, type Proven } from '../../errors.ts';
import type { IdentifiedObject } from '../../formats/format.ts';
import type { PartPlace } from '../../formats/object-details.ts';
import type { GetObject } from '../../operations/operation.ts';
import { backendEtags } from '../../store/etag.ts';
import { type ByteRange, type RangeRequest, resolveRange } from '../../wire/range.ts';
import type { OperationContext } from '../context.ts';
import { shownEtag } from '../etags/shown-etag.ts';

/** Which bytes of an object's plaintext a request wants. */
export interface Wanted {
  /** undefined stands for the whole object. For a part without bytes, `last` is `first` - 1. */
  readonly range: ByteRange | undefined;
  /** The number of the object's parts, where a part is asked for; undefined where the object was sent by one PUT. */
  readonly partsCount: number | undefined;
}

const ALL: Wanted = { range: undefined, partsCount: undefined };

/** Whether there are no bytes to serve, which happens for an empty part. */
export function isEmpty({ range }: Wanted): boolean {
  return range !== undefined && range.last < range.first;
}

/**
 * Resolves which bytes of an object a request wants: a part, a range, or all. Where If-Range does not hold, all of the
 * object is wanted.
 * @throws GatewayError InvalidRange, InvalidPartNumber, and ObjectCorrupted where the object is not as long as the
 *   store says
 */
export async function wantedOf(
  { range, part, ifRange, beyondEnd }: Pick<GetObject, 'range' | 'part' | 'ifRange' | 'beyondEnd'>,
  object: IdentifiedObject,
  context: OperationContext,
): Promise<Wanted> {
  if (part !== undefined) return partOf(object, part);
  if (range === undefined) return ALL;
  if (ifRange !== undefined && !(await rangeStillHolds(ifRange.trim(), object, context))) return ALL;
  const plaintextBytes = object.provenBytes ?? (await object.details()).plaintextBytes;
  if (beyondEnd === 'whole' && reachesBeyond(range, plaintextBytes)) return ALL;
  const resolved = resolveRange(range, plaintextBytes);
  if (resolved !== 'unsatisfiable') return { range: resolved, partsCount: undefined };
  throw pastTheEnd(plaintextBytes, 'The requested range begins past the end of the object.');
}

/** Whether a range names a byte that the object does not have. */
function reachesBeyond(range: RangeRequest, plaintextBytes: number): boolean {
  if (range.kind === 'suffix') return range.bytes === 0 || range.bytes > plaintextBytes;
  return Math.max(range.first, range.last ?? 0) >= plaintextBytes;
}

async function partOf(object: IdentifiedObject, part: number): Promise<PartPlace> {
  const place = await object.part(part);
  if (place.range === undefined) throw noSuchPart(part, place.partsCount, object);
  return place;
}

/**
 * Makes the error InvalidRange. The length must be proven, because programs that resume a download take this error to
 * mean that they have the whole object.
 */
export function pastTheEnd(plaintextBytes: Proven<number>, message: string): GatewayError {
  return new ConclusiveError('InvalidRange', message, {
    proof: plaintextBytes,
    details: { ActualObjectSize: String(plaintextBytes) },
  });
}

/** Makes the error InvalidPartNumber. @param object the identified object, which proves how many parts there are */
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
