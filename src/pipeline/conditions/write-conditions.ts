import { GatewayError } from '../../errors.ts';
import type { IdentifiedObject } from '../../formats/format.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { clientEtag } from '../../store/etag.ts';
import { ignoredOnComplete, ignoredOnDelete, ignoredOnPut } from '../../store/mend/ignored-conditions.ts';
import { isAbsence, readingAgain } from '../../store/pin.ts';
import type { Conditions } from '../../wire/conditions.ts';
import { namesEtag } from '../../wire/judged-conditions.ts';
import type { OperationContext } from '../context.ts';
import { shownEtag } from '../etags/shown-etag.ts';
import { preconditionFailed } from './judge-read.ts';
import { type DeletePlan, type EtagForm, planDelete, planWrite, type WritePlan } from './plan.ts';

/**
 * This file turns the conditions on a write into those that the store is asked. The store judges them atomically with
 * the write. Where the store does not know the ETags that the client sent, the gateway judges the conditions against
 * the object that is there, and pins the write to the backend's ETag of that object. The store then checks, atomically
 * with the write, that it is still the same object.
 */

/** Plans the conditions of a write. */
export function writePlanOf(conditions: Conditions, context: OperationContext): WritePlan {
  const { capabilities } = context.findings;
  return planWrite(conditions, { etags: etagsOf(context), inHand: false, capabilities });
}

/** Plans the conditions of a write that may replace only one object, which was read already. */
export function replacingPlanOf(conditions: Conditions, context: OperationContext): WritePlan {
  const { capabilities } = context.findings;
  return planWrite(conditions, { etags: etagsOf(context), inHand: true, capabilities });
}

/** Plans the condition of a deletion. @param condition the client's If-Match */
export function deletePlanOf(condition: string | undefined, context: OperationContext): DeletePlan {
  const { capabilities } = context.findings;
  return planDelete(condition, { etags: etagsOf(context), capabilities });
}

/** The ETag of an object that is stored as it was sent is the store's own, even where the policy says `md5`. */
function etagsOf({ formats, policy }: OperationContext): EtagForm {
  return formats.write.asSent ? 'opaque' : policy.etag;
}

/**
 * Makes the conditions that a write carries to the store.
 * @param inHand the object that the write replaces, where `replacingPlanOf` made the plan
 * @throws GatewayError PreconditionFailed where the conditions fail already, and what HEAD throws
 */
export async function conditionsToSend(
  { how, conditions }: WritePlan,
  ref: ObjectRef,
  context: OperationContext,
  inHand?: IdentifiedObject,
): Promise<Conditions> {
  if (how === 'no condition' || how === 'ask the store') return conditions;
  const seen = how === 'judge here' ? await namesOf(conditions, inHand, context) : await lookFor(ref, context);
  // Nothing is there. The store refuses If-Match with its own error. For If-None-Match, there must still be nothing.
  if (seen === undefined) return { ifMatch: conditions.ifMatch, ifNoneMatch: conditions.ifNoneMatch && '*' };
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch !== undefined && !namesEtag(ifMatch, seen.etags, 'strongly')) throw preconditionFailed();
  if (ifNoneMatch !== undefined && namesEtag(ifNoneMatch, seen.etags, 'weakly')) throw preconditionFailed();
  return { ifMatch: `"${seen.backendEtag}"` };
}

/**
 * Makes the condition that a deletion carries to the store. One that does not name the object that is there is sent
 * unchanged, so that the store refuses it with its own error.
 * @throws GatewayError NotImplemented, and what HEAD throws
 */
export async function deletionToSend(
  plan: DeletePlan,
  ref: ObjectRef,
  context: OperationContext,
): Promise<string | undefined> {
  mustBeHeldTo(plan, context);
  const { how, ifMatch } = plan;
  if (how !== 'look first' || ifMatch === undefined) return ifMatch;
  const seen = await lookFor(ref, context);
  return seen !== undefined && namesEtag(ifMatch, seen.etags, 'strongly') ? `"${seen.backendEtag}"` : ifMatch;
}

/**
 * Checks, before anything is deleted, that the store obeys the condition.
 * @throws GatewayError NotImplemented where it would ignore the condition and delete whatever object is there
 */
export function mustBeHeldTo({ how }: DeletePlan, { findings }: OperationContext): void {
  if (how === 'refuse') throw ignoredOnDelete(findings);
}

/**
 * Checks, before anything is sent, that the store obeys the conditions of a client's PutObject. It is not asked for
 * conditions that the gateway adds itself: those are worth sending even to a store that may ignore them.
 * @throws GatewayError NotImplemented where the store would ignore the conditions and replace an object that the client
 *   wants kept
 */
export function mustBeHeldOnPut({ heldOnPut }: WritePlan, { findings }: OperationContext): void {
  if (!heldOnPut) throw ignoredOnPut(findings);
}

/**
 * Checks, before anything is sent, that the store obeys the conditions of a write that becomes a multipart upload.
 * @throws GatewayError NotImplemented where the store would ignore the conditions and replace an object that the client
 *   wants kept
 */
export function mustBeHeldOnComplete(
  { heldOnComplete }: Pick<WritePlan, 'heldOnComplete'>,
  { findings }: OperationContext,
): void {
  if (!heldOnComplete) throw ignoredOnComplete(findings);
}

/** The object that is at a key. */
interface Seen {
  /** Unquoted. */
  readonly backendEtag: string;
  /** All ETags by which a client may name the object, unquoted. */
  readonly etags: readonly string[];
}

async function namesOf(
  { ifMatch, ifNoneMatch }: Conditions,
  inHand: IdentifiedObject | undefined,
  context: OperationContext,
): Promise<Seen> {
  if (inHand === undefined) throw new Error('A plan to judge here needs the object that the write replaces.');
  const { etag } = inHand.stored;
  // In buckets with MD5 ETags, to know the ETag may cost a request.
  const asked = (ifMatch ?? ifNoneMatch) !== undefined;
  return { backendEtag: etag, etags: asked ? [await shownEtag(inHand, context), etag] : [] };
}

/**
 * Finds the object that is at a key; undefined where there is none. One that cannot be opened is named by its opaque
 * ETag, so that a client can still replace it.
 */
function lookFor(ref: ObjectRef, writing: OperationContext): Promise<Seen | undefined> {
  // A customer's key is for the new object, and not for the one that is there.
  const context = { ...writing, keys: writing.keys.tenantKeys ?? writing.keys };
  return readingAgain(async () => {
    const { store } = context;
    const stored = await store.head({ ref, conditions: {} }, context.signal).catch(undefinedIfAbsent);
    if (stored === undefined) return undefined;
    const { etag } = stored;
    try {
      const shown = await shownEtag(await context.formats.identify({ ref, stored }, context), context);
      return { backendEtag: etag, etags: [shown, etag] };
    } catch (error) {
      if (!cannotBeOpened(error)) throw error;
      return { backendEtag: etag, etags: [clientEtag(etag), etag] };
    }
  });
}

function undefinedIfAbsent(error: unknown): undefined {
  if (isAbsence(error)) return undefined;
  throw error;
}

const UNOPENABLE: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'CustomerKeyNeeded',
  'ObjectCorrupted',
  'ObjectMoved',
  'ObjectNotSealed',
  'KeyUnavailable',
  'KmsKeyNotFound',
  'KmsKeyDisabled',
  'KmsKeyInvalidState',
]);

/** Whether an error is about the object itself. Errors of the store or the key store are not: they may pass. */
function cannotBeOpened(error: unknown): boolean {
  return error instanceof GatewayError && UNOPENABLE.has(error.code);
}
