import type { Capabilities } from '../../store/capabilities.ts';
import { backendEtags } from '../../store/etag.ts';
import type { BucketPolicy } from '../../tenants/bucket-policy.ts';
import type { Conditions } from '../../wire/conditions.ts';
import { conditionDate, effectiveConditions } from '../../wire/judged-conditions.ts';

/**
 * How the conditions of a request are judged. A plan is made once a request, from the conditions, the form of the
 * bucket's ETags and what the store can do, and then handed on: judge-read.ts and write-conditions.ts carry it out, and
 * nobody decides again.
 */

/**
 * The form of the ETags that clients see (FORMAT.md §8). In mode `opaque` they are the store's, marked, so that the
 * store can be asked about them. In mode `md5` the store does not know what its clients speak of.
 */
export type EtagForm = BucketPolicy['etag'];

const NONE: Conditions = {};

/**
 * How a read's conditions are judged. Whatever the store is asked, all conditions are judged here too, of the object
 * that was identified: a store's own verdict is only a claim (dialects/store-claim.ts).
 */
export interface ReadPlan {
  /**
   * - `no condition`: the object is asked for as it is.
   * - `ask the store`: the first request carries one of the conditions, so that bytes that nobody wants stay off the wire.
   * - `judge here`: the first request carries none, because stores differ about these conditions.
   * - `look first`: a HEAD looks at the object, and whatever is read after it is pinned to exactly that object.
   * - `pinned`: the object was identified before, and its conditions were judged then.
   */
  readonly how: 'no condition' | 'ask the store' | 'judge here' | 'look first' | 'pinned';
  /** What the first request carries. */
  readonly asked: Conditions;
  /** What is judged of the identified object; undefined where no condition counts. */
  readonly judged: Conditions | undefined;
  /** The backend's ETag of the only object that may be read, unquoted; undefined where any may. */
  readonly pinnedTo: string | undefined;
}

const UNCONDITIONAL: ReadPlan = { how: 'no condition', asked: NONE, judged: undefined, pinnedTo: undefined };
const LOOK: ReadPlan = { how: 'look first', asked: NONE, judged: undefined, pinnedTo: undefined };

/**
 * Plans a read.
 * @param looksAnyway whether the request begins with a HEAD for another reason: it is a HEAD itself, it asks for a part …
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

/** Plans to read exactly one object, which was identified before. @param etag the backend's, unquoted */
export function planPinned(etag: string): ReadPlan {
  return { how: 'pinned', asked: { ifMatch: `"${etag}"` }, judged: undefined, pinnedTo: etag };
}

/**
 * Stores agree about one plain condition. They differ where several come together (MinIO lets a date overrule an ETag,
 * and answers 304 where 412 is due), in lists and weak ETags, in If-Unmodified-Since (Versity S3 Gateway compares
 * fractions of a second, which no HTTP date has, so that an object is newer than its own Last-Modified), and about `*`
 * (Ceph RGW).
 */
function storesAgreeAbout({ ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince }: Conditions): boolean {
  const single = (ifMatch ?? ifUnmodifiedSince) === undefined || (ifNoneMatch ?? ifModifiedSince) === undefined;
  return single && isPlain(ifMatch) && isPlain(ifNoneMatch) && ifUnmodifiedSince === undefined;
}

/** One strong ETag, quoted or bare. */
function isPlain(condition: string | undefined): boolean {
  return condition === undefined || /^(?:"[^"]*"|[^",/*]*)$/.test(condition);
}

/**
 * How the conditions on a copy's source are judged: always here, of the very object that the copy is then pinned to.
 * A date that cannot be read is no condition for a read; what guards a write is better refused.
 */
export interface SourcePlan {
  readonly judged: Conditions | undefined;
  /** The first of the conditions that has a date which cannot be read. */
  readonly unreadable: 'ifUnmodifiedSince' | 'ifModifiedSince' | undefined;
}

export function planSource(conditions: Conditions): SourcePlan {
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince } = inBackendForm(conditions);
  // S3 knows no weak ETags here: one names what the strong one names.
  const strong = (condition: string | undefined) => condition?.replace(/(^|[\s,])W\/(?=")/g, '$1');
  const judged = effectiveConditions({ ifMatch: strong(ifMatch), ifNoneMatch, ifUnmodifiedSince, ifModifiedSince });
  const isUnreadable = (etag: string | undefined, date: string | undefined) =>
    etag === undefined && date !== undefined && conditionDate(date) === undefined;
  if (isUnreadable(ifMatch, ifUnmodifiedSince)) return { judged, unreadable: 'ifUnmodifiedSince' };
  return { judged, unreadable: isUnreadable(ifNoneMatch, ifModifiedSince) ? 'ifModifiedSince' : undefined };
}

/**
 * How a write's conditions are judged: by the store at last, atomically with the write. They are If-Match and
 * If-None-Match alone; S3 knows no dates on writes.
 */
export interface WritePlan {
  /**
   * - `no condition`: it replaces whatever stands there.
   * - `ask the store`: the write carries the conditions as they are.
   * - `look first`: the store does not know these ETags. A HEAD finds what stands there, the conditions are judged of
   *   that here, and the write is pinned to the backend's ETag of it.
   * - `judge here`: what stands there is in hand already; then the same without a HEAD.
   */
  readonly how: 'no condition' | 'ask the store' | 'look first' | 'judge here';
  /** With ETags as the backend knows them. */
  readonly conditions: Conditions;
  /** Whether the store holds to the client's conditions where the write reaches it as a PutObject. */
  readonly heldOnPut: boolean;
  /** The same where it reaches it as a CompleteMultipartUpload. */
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
    /** Whether the object that the write replaces was read for it, and no other one may be replaced. */
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

/** How the condition on a deletion is judged; it is If-Match alone. */
export interface DeletePlan {
  /** As in `WritePlan`; `refuse`: the store would ignore the condition and delete whatever stands there. */
  readonly how: 'no condition' | 'ask the store' | 'look first' | 'refuse';
  /** With ETags as the backend knows them. */
  readonly ifMatch: string | undefined;
}

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

/** `*` speaks of no ETag: every store judges it by itself. */
function speaksOfEtags(condition: string | undefined): boolean {
  return condition !== undefined && condition.trim() !== '*';
}

function inBackendForm(conditions: Conditions): Conditions {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  return { ifMatch: backendEtags(ifMatch), ifNoneMatch: backendEtags(ifNoneMatch), ifModifiedSince, ifUnmodifiedSince };
}
