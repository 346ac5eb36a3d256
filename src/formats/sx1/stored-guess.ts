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

/** What each part before a place shifts it by at most: its header, and a tag for a segment that it cuts short. */
const SHIFT_BYTES = PART_HEADER_BYTES + TAG_BYTES;

/** The footer that a suffix of stored bytes ends in: of a PutObject object of 500 MiB, or most lists of parts. */
const FOOTER_ALLOWANCE_BYTES = 64 * 1024;

/**
 * The stored bytes to ask for before it is known what object there is. The answer is held against the object's own
 * layout, and asked for again if it does not hold the range; so this decides how many requests a range costs, and
 * nothing else.
 *
 * - Of an object whose place of parts is remembered: exactly where they are.
 * - Of another: whole segments where a PutObject's lie. Past the smallest first part there may be parts, which shift
 *   everything behind them a little: then as much more as catches that, unless it is remembered that there are none.
 *
 * So a range costs one request, of a multipart object one more for its footer the first time.
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

/** Whether a range reaches past the first part that an object may have. */
export function mayFollowParts(range: RangeRequest, store: Store): boolean {
  if (range.kind === 'suffix') return false; // it is asked for from the end
  return range.last === undefined || range.last >= store.limits.smallestPartBytes;
}

type FromRange = Extract<RangeRequest, { kind: 'from' }>;
type StoredFrom = Extract<StoredRange, { first: number }>;

function singleRange({ first, last }: FromRange): StoredFrom {
  return {
    first: PART_HEADER_BYTES + Math.floor(first / SEGMENT_BYTES) * SEALED_SEGMENT_BYTES,
    last:
      last === undefined
        ? undefined
        : PART_HEADER_BYTES + (Math.floor(last / SEGMENT_BYTES) + 1) * SEALED_SEGMENT_BYTES - 1,
  };
}

/** Segments begin anew in every part, so that one may begin up to a segment earlier; nothing lies further behind. */
function widened({ first, last }: StoredFrom, quantum: number): StoredFrom {
  return {
    first: Math.max(PART_HEADER_BYTES, first - SEALED_SEGMENT_BYTES),
    last: last === undefined ? undefined : last + SEALED_SEGMENT_BYTES + SHIFT_BYTES * (Math.floor(last / quantum) + 1),
  };
}

function sealedSuffix(bytes: number, quantum: number): StoredRange {
  const segments = Math.ceil(bytes / SEGMENT_BYTES) + 1;
  const shift = SHIFT_BYTES * (Math.floor(bytes / quantum) + 1);
  const suffixBytes = segments * SEALED_SEGMENT_BYTES + shift + FOOTER_ALLOWANCE_BYTES;
  return { suffixBytes: Math.min(suffixBytes, Number.MAX_SAFE_INTEGER) };
}
