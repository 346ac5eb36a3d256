import {
  PART_HEADER_BYTES,
  quantumBytes,
  SEALED_SEGMENT_BYTES,
  SEGMENT_BYTES,
  TAG_BYTES,
} from '../../envelope/sizes.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { Store } from '../../store/store.ts';
import { type RangeRequest, resolveRange } from '../../wire/range.ts';
import type { StoredRange } from '../format.ts';
import type { FormatDesk } from '../format-desk.ts';
import type { LayoutCache } from './layout-cache.ts';

/** How far each part shifts the bytes behind it at most: by its header, and by a tag for its last, short segment. */
const SHIFT_BYTES = PART_HEADER_BYTES + TAG_BYTES;

/**
 * The size of the footer that is assumed when a suffix is asked for. It is enough for an object of 500 MiB that was
 * sent by one PUT, and for most lists of parts.
 */
const FOOTER_ALLOWANCE_BYTES = 64 * 1024;

/**
 * Guesses which stored bytes hold a range of plaintext, before anything is known of the object. They are checked
 * against the object's own layout when it answers, and if they do not hold the range, the right ones are asked for. So
 * a wrong guess costs another request, and nothing else.
 *
 * - Where the layout of the object is remembered, the bytes are computed from it.
 * - Otherwise they are the segments that would hold the range if the object had been sent by one PUT. Behind the first
 *   part that an upload may have, the bytes of a multipart object are shifted by part headers. So a range there is
 *   widened by the largest shift, unless it is remembered that this object was sent by one PUT.
 *
 * In this way a range costs one request; the first range of a multipart object costs one more, for the footer.
 */
export function storedGuess(
  range: RangeRequest,
  ref: ObjectRef,
  { keys, policy, store }: FormatDesk,
  layouts: LayoutCache,
): StoredRange {
  const layout = layouts.get(keys.scope, ref)?.layout;
  const known = layout && resolveRange(range, layout.plaintextBytes);
  if (layout !== undefined && known !== undefined && known !== 'unsatisfiable') {
    const slices = layout.locate(known);
    return { first: slices[0]?.storedFirst ?? 0, last: slices.at(-1)?.storedLast };
  }
  const quantum = quantumBytes(policy.quantum);
  if (range.kind === 'suffix') return sealedSuffix(range.bytes, quantum);
  const single = singleRange(range);
  if (!mayFollowParts(range, store) || layouts.isSingle(keys.scope, ref)) return single;
  return widened(single, quantum);
}

/** Whether a range reaches past the smallest first part that a multipart object may have. */
export function mayFollowParts(range: RangeRequest, store: Store): boolean {
  if (range.kind === 'suffix') return false; // it is counted from the object's end
  return range.last === undefined || range.last >= store.limits.smallestPartBytes;
}

type FromRange = Extract<RangeRequest, { kind: 'from' }>;
type StoredFrom = Extract<StoredRange, { first: number }>;

/** The whole segments that hold a range of an object that was sent by one PUT. */
function singleRange({ first, last }: FromRange): StoredFrom {
  return {
    first: PART_HEADER_BYTES + Math.floor(first / SEGMENT_BYTES) * SEALED_SEGMENT_BYTES,
    last:
      last === undefined
        ? undefined
        : PART_HEADER_BYTES + (Math.floor(last / SEGMENT_BYTES) + 1) * SEALED_SEGMENT_BYTES - 1,
  };
}

/**
 * Widens a range so that it also holds the wanted bytes of a multipart object. Each part begins with a segment of its
 * own, so a segment may begin up to one segment earlier; the headers and tags of parts may shift it further back.
 */
function widened({ first, last }: StoredFrom, quantum: number): StoredFrom {
  return {
    first: Math.max(PART_HEADER_BYTES, first - SEALED_SEGMENT_BYTES),
    last: last === undefined ? undefined : last + SEALED_SEGMENT_BYTES + SHIFT_BYTES * (Math.floor(last / quantum) + 1),
  };
}

/** The last bytes of an object that hold so many last bytes of plaintext, the footer included. */
function sealedSuffix(bytes: number, quantum: number): StoredRange {
  const segments = Math.ceil(bytes / SEGMENT_BYTES) + 1;
  const shift = SHIFT_BYTES * (Math.floor(bytes / quantum) + 1);
  const suffixBytes = segments * SEALED_SEGMENT_BYTES + shift + FOOTER_ALLOWANCE_BYTES;
  return { suffixBytes: Math.min(suffixBytes, Number.MAX_SAFE_INTEGER) };
}
