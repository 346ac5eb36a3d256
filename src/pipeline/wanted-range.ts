import type { StoredObject } from '../dialects/dialect.ts';
import { PART_HEADER_BYTES, SEGMENT_BYTES, TAG_BYTES } from '../envelope/sizes.ts';
import { clientError } from '../errors.ts';
import type { ObjectRef } from '../operations/object.ts';
import type { GetObject } from '../operations/operation.ts';
import { type ByteRange, type RangeRequest, resolveRange } from '../wire/range.ts';
import { backendEtags } from './etag.ts';
import type { OperationContext } from './services.ts';
import { identify, readConditions } from './stored.ts';

/** Of plaintext bytes, before it is known whether the object has so many. */
export type WantedRange = Extract<RangeRequest, { kind: 'from' }>;

type StoredGuess = Omit<WantedRange, 'kind'>;

export interface Wanted {
  /** undefined: the whole object. */
  readonly range: WantedRange | undefined;
  /** The backend's ETag of the object that this was decided of: another one must not be served for it. */
  readonly etag: string | undefined;
}

/** What to serve: no range when If-Range says that the object is another one now; a suffix needs the size first. */
export async function wantedRange(
  operation: GetObject,
  context: OperationContext,
  pinnedTo: string | undefined,
): Promise<Wanted> {
  const { range, ifRange, ref } = operation;
  if (range === undefined) return { range: undefined, etag: pinnedTo };
  if (ifRange === undefined && range.kind === 'from') return { range, etag: pinnedTo };
  const { store } = context.services;
  const stored = await store.head({ ref, conditions: readConditions(operation.conditions) }, context.signal);
  const { etag } = stored;
  if (ifRange !== undefined && !rangeStillHolds(backendEtags(ifRange) ?? ifRange, stored)) {
    return { range: undefined, etag };
  }
  if (range.kind === 'from') return { range, etag };
  const object = await identify(ref, stored, context);
  return { range: { kind: 'from', ...satisfiable(range, object.plaintextBytes) }, etag };
}

/**
 * The stored bytes to ask for before it is known what object there is: where they lay in the multipart object whose
 * footer was read here last, or else whole segments of a PutObject object that hold the plaintext; the backend clips
 * what lies past the end. Without protection they are the plaintext itself. The answer is held against its own layout.
 */
export function storedGuess({ first, last }: WantedRange, ref: ObjectRef, context: OperationContext): StoredGuess {
  const { policy, services, tenant } = context;
  if (policy.protection === 'none') return { first, last };
  const layout = services.layouts.get(tenant.name, ref)?.layout;
  const range = layout && resolveRange({ kind: 'from', first, last }, layout.plaintextBytes);
  if (layout !== undefined && range !== undefined && range !== 'unsatisfiable') {
    const slices = layout.locate(range);
    return { first: slices[0]?.storedFirst ?? 0, last: slices.at(-1)?.storedLast };
  }
  const stride = SEGMENT_BYTES + TAG_BYTES;
  return {
    first: PART_HEADER_BYTES + Math.floor(first / SEGMENT_BYTES) * stride,
    last: last === undefined ? undefined : PART_HEADER_BYTES + (Math.floor(last / SEGMENT_BYTES) + 1) * stride - 1,
  };
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
export function rangeStillHolds(ifRange: string, stored: StoredObject): boolean {
  const value = ifRange.trim();
  if (value.startsWith('"')) return value === `"${stored.etag}"`;
  if (value.startsWith('W/')) return false;
  const date = Date.parse(value);
  return !Number.isNaN(date) && date === Math.floor(stored.lastModified.getTime() / 1000) * 1000;
}
