import type { Capabilities } from '../../store/capabilities.ts';
import { backendEtags } from '../../store/etag.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { Conditions } from '../../wire/conditions.ts';
import { conditionDate, effectiveConditions } from '../../wire/judged-conditions.ts';

/**
 * This file plans how the conditions of a request (If-Match and others) are judged. A plan is made once for a request,
 * from its conditions, the form of the bucket's ETags and the store's capabilities. judge-read.ts and
 * write-conditions.ts carry it out.
 */

/**
 * The form of the ETags that clients see (FORMAT.md §8). `opaque` ETags are the store's own with a mark, so that the
 * store can judge conditions on them. `md5` ETags are made of the plaintext's MD5: the store does not know them.
 */
export type EtagForm = BucketPolicy['etag'];

const NONE: Conditions = {};

/**
 * How a read's conditions are judged. The gateway always judges them all against the identified object, even where the
 * store was asked one of them: a store's verdict is only a claim (dialects/store-claim.ts).
 */
export interface ReadPlan {
  /**
   * - `no condition`: the request has no conditions.
   * - `ask the store`: the first request carries the condition, so that the store does not send bytes in vain.
   * - `judge here`: the first request carries none, because stores judge these conditions in different ways.
   * - `look first`: a HEAD comes first, and whatever is read after it is pinned to exactly that object.
   * - `pinned`: the object was identified before, and its conditions were judged then.
   */
  readonly how: 'no condition' | 'ask the store' | 'judge here' | 'look first' | 'pinned';
  /** The conditions that the first request carries. */
  readonly asked: Conditions;
  /** The conditions that are judged against the identified object; undefined where there are none. */
  readonly judged: Conditions | undefined;
  /** The backend's ETag, unquoted, of the only object that may be read; undefined where any object may. */
  readonly pinnedTo: string | undefined;
}

const UNCONDITIONAL: ReadPlan = { how: 'no condition', asked: NONE, judged: undefined, pinnedTo: undefined };
const LOOK: ReadPlan = { how: 'look first', asked: NONE, judged: undefined, pinnedTo: undefined };

/**
 * Plans a read.
 * @param looksAnyway whether a HEAD is sent first for another reason, for example because the request is a HEAD itself
 *   or asks for a part
 */
export function planRead(
  conditions: Conditions,
  { etags, looksAnyway }: { readonly etags: EtagForm; readonly looksAnyway: boolean },
): ReadPlan {
  const judged = effectiveConditions(inBackendForm(conditions));
  if (judged === undefined) return looksAnyway ? LOOK : UNCONDITIONAL;
  if (looksAnyway || etags === 'md5') return { how: 'look first', asked: NONE, judged, pinnedTo: undefined };
  if (storesAgreeAbout(judged)) return { how: 'ask the store', asked: judged, judged, pinnedTo: undefined };
  return { how: 'judge here', asked: NONE, judged, pinnedTo: undefined };
}

/** Plans to read exactly one object, which was identified before. @param etag the backend's ETag of it, unquoted */
export function planPinned(etag: string): ReadPlan {
  return { how: 'pinned', asked: { ifMatch: `"${etag}"` }, judged: undefined, pinnedTo: etag };
}

/**
 * Whether all stores judge these conditions alike. They do for one plain condition. They differ about several
 * conditions together (MinIO lets a date overrule an ETag, and answers 304 where 412 is due), about lists and weak
 * ETags, about If-Unmodified-Since (Versity S3 Gateway compares fractions of a second, which no HTTP date has, so an
 * object counts as newer than its own Last-Modified), and about `*` (Ceph RGW).
 */
function storesAgreeAbout({ ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince }: Conditions): boolean {
  const single = (ifMatch ?? ifUnmodifiedSince) === undefined || (ifNoneMatch ?? ifModifiedSince) === undefined;
  return single && isPlain(ifMatch) && isPlain(ifNoneMatch) && ifUnmodifiedSince === undefined;
}

/** Whether a condition is one strong ETag, quoted or bare, or absent. */
function isPlain(condition: string | undefined): boolean {
  return condition === undefined || /^(?:"[^"]*"|[^",/*]*)$/.test(condition);
}

/**
 * How the conditions on a copy's source are judged: by the gateway, against the object that the copy is then pinned to.
 * A GET ignores a date that cannot be parsed (RFC 9110 §13.1.3); a copy, which is a write, is refused instead.
 */
export interface SourcePlan {
  readonly judged: Conditions | undefined;
  /** The first of the conditions whose date cannot be parsed. */
  readonly unreadable: 'ifUnmodifiedSince' | 'ifModifiedSince' | undefined;
}

/** Plans the conditions on a copy's source. */
export function planSource(conditions: Conditions): SourcePlan {
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince } = inBackendForm(conditions);
  // S3 takes a weak ETag here for the strong one of the same value.
  const strong = (condition: string | undefined) => condition?.replace(/(^|[\s,])W\/(?=")/g, '$1');
  const judged = effectiveConditions({ ifMatch: strong(ifMatch), ifNoneMatch, ifUnmodifiedSince, ifModifiedSince });
  const isUnreadable = (etag: string | undefined, date: string | undefined) =>
    etag === undefined && date !== undefined && conditionDate(date) === undefined;
  if (isUnreadable(ifMatch, ifUnmodifiedSince)) return { judged, unreadable: 'ifUnmodifiedSince' };
  return { judged, unreadable: isUnreadable(ifNoneMatch, ifModifiedSince) ? 'ifModifiedSince' : undefined };
}

/**
 * How a write's conditions are judged. The last word is the store's, because only the store can judge atomically with
 * the write. S3 has If-Match and If-None-Match on writes, and no dates.
 */
export interface WritePlan {
  /**
   * - `no condition`: the write replaces whatever object is there.
   * - `ask the store`: the write carries the client's conditions.
   * - `look first`: the store does not know the ETags that the client sent. So a HEAD finds the object that is there,
   *   the gateway judges the conditions against it, and the write is pinned to the backend's ETag of that object.
   * - `judge here`: the same without a HEAD, because the object that is there was read already.
   */
  readonly how: 'no condition' | 'ask the store' | 'look first' | 'judge here';
  /** The client's conditions, with ETags in the backend's form. */
  readonly conditions: Conditions;
  /** Whether the store obeys the client's conditions if the write is sent to it as a PutObject. */
  readonly heldOnPut: boolean;
  /** Whether the store obeys the client's conditions if the write is sent to it as a CompleteMultipartUpload. */
  readonly heldOnComplete: boolean;
}

const UNCONDITIONAL_WRITE: WritePlan = {
  how: 'no condition',
  conditions: NONE,
  heldOnPut: true,
  heldOnComplete: true,
};

/** Plans a PutObject, a CompleteMultipartUpload or the destination of a copy. */
export function planWrite(
  conditions: Conditions,
  {
    etags,
    inHand,
    capabilities,
  }: {
    readonly etags: EtagForm;
    /** Whether the write may replace only one object, which was read already. */
    readonly inHand: boolean;
    readonly capabilities: Pick<Capabilities, 'conditionalPuts' | 'conditionalCompletes'>;
  },
): WritePlan {
  const ifMatch = backendEtags(conditions.ifMatch);
  const ifNoneMatch = backendEtags(conditions.ifNoneMatch);
  const unconditional = (ifMatch ?? ifNoneMatch) === undefined;
  if (unconditional && !inHand) return UNCONDITIONAL_WRITE;
  const unknown = etags === 'md5' && (speaksOfEtags(ifMatch) || speaksOfEtags(ifNoneMatch));
  return {
    how: inHand ? 'judge here' : unknown ? 'look first' : 'ask the store',
    conditions: { ifMatch, ifNoneMatch },
    heldOnPut: unconditional || capabilities.conditionalPuts,
    heldOnComplete: unconditional || capabilities.conditionalCompletes,
  };
}

/** How the condition on a deletion, which can only be If-Match, is judged. */
export interface DeletePlan {
  /** As in `WritePlan`. `refuse` means that the store would ignore the condition and delete whatever is there. */
  readonly how: 'no condition' | 'ask the store' | 'look first' | 'refuse';
  /** The client's condition, with ETags in the backend's form. */
  readonly ifMatch: string | undefined;
}

/** Plans a deletion. @param condition the client's If-Match */
export function planDelete(
  condition: string | undefined,
  {
    etags,
    capabilities,
  }: { readonly etags: EtagForm; readonly capabilities: Pick<Capabilities, 'conditionalDeletes'> },
): DeletePlan {
  const ifMatch = backendEtags(condition);
  if (ifMatch === undefined) return { how: 'no condition', ifMatch };
  if (!capabilities.conditionalDeletes) return { how: 'refuse', ifMatch };
  return { how: etags === 'md5' && speaksOfEtags(ifMatch) ? 'look first' : 'ask the store', ifMatch };
}

/** Whether a condition names ETags. `*` names none, so every store can judge it. */
function speaksOfEtags(condition: string | undefined): boolean {
  return condition !== undefined && condition.trim() !== '*';
}

function inBackendForm(conditions: Conditions): Conditions {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  return { ifMatch: backendEtags(ifMatch), ifNoneMatch: backendEtags(ifNoneMatch), ifModifiedSince, ifUnmodifiedSince };
}
