import { StoreClaim } from '../../dialects/store-claim.ts';
import type { StoredObject } from '../../dialects/store-exchange.ts';
import type { IdentifiedObject } from '../../formats/format.ts';
import { type PeekedContent, peekedContent } from '../../formats/peeked-content.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { GetObject } from '../../operations/operation.ts';
import { ObjectReplaced, pinned } from '../../store/pin.ts';
import type { StoredContent } from '../../store/store.ts';
import type { ReadPlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';

/** The store's first answer about an object. Nothing in it is verified yet. */
export interface FirstAnswer {
  readonly ref: ObjectRef;
  /** The object's head, as the store describes it. */
  readonly stored: StoredObject;
  /**
   * The stored bytes that are arriving: all of them, or those that were guessed to hold the wanted range. undefined
   * where only a HEAD was sent.
   */
  readonly content: StoredContent | undefined;
  /** The same bytes, set where they begin at the object's first byte and identifying the object may look at that. */
  readonly peeked: PeekedContent | undefined;
  /** What the store answered instead of the object (304, 412 or 416). It is checked against the object itself. */
  readonly claim: StoreClaim | undefined;
}

/**
 * Asks the store for an object in the way that the plan says.
 * @throws ObjectReplaced where it is not the object that the plan is pinned to, and what GET and HEAD throw
 */
export async function firstAnswer(
  { ref, range }: GetObject,
  plan: ReadPlan,
  context: OperationContext,
): Promise<FirstAnswer> {
  if (plan.how === 'look first') return lookAt(ref, context);
  const { formats, signal, store } = context;
  const get = { ref, range: range && formats.write.guess(range, ref, context), conditions: plan.asked };
  const asked = store.read(get, signal);
  const answer = await (plan.pinnedTo === undefined ? asked : pinned(asked));
  if (answer instanceof StoreClaim) return lookAfterClaim(answer, ref, plan, context);
  if (isAnother(answer.object, plan)) {
    answer.discard();
    throw new ObjectReplaced();
  }
  const peeked = formats.peeks && (answer.object.storedRange?.first ?? 0) === 0 ? peekedContent(answer) : undefined;
  return { ref, stored: answer.object, content: peeked ?? answer, peeked, claim: undefined };
}

/** Sends an unconditional HEAD of an object. @throws GatewayError what HEAD throws */
export async function lookAt(ref: ObjectRef, { store, signal }: OperationContext): Promise<FirstAnswer> {
  const stored = await store.head({ ref, conditions: {} }, signal);
  return { ref, stored, content: undefined, peeked: undefined, claim: undefined };
}

/**
 * Sends a HEAD of an object where the store answered a GET with a claim: 304, 412 or 416. A claim is no answer for the
 * client yet. For example, 416 is about stored bytes and does not prove that the client's range lies past the end: the
 * object may have been cut short in the store, or be stored in another format than the range was guessed for.
 */
async function lookAfterClaim(
  claim: StoreClaim,
  ref: ObjectRef,
  plan: ReadPlan,
  context: OperationContext,
): Promise<FirstAnswer> {
  if (plan.pinnedTo !== undefined && claim.code === 'PreconditionFailed') throw new ObjectReplaced({ cause: claim });
  // The range may have been computed from the remembered layout of an object that is no longer there.
  if (claim.code === 'InvalidRange') context.formats.write.forget(ref, context);
  // The claim means that an object was there. If it is gone now, it was replaced or deleted in between.
  const looked = await pinned(lookAt(ref, context));
  if (isAnother(looked.stored, plan)) throw new ObjectReplaced();
  return { ...looked, claim };
}

function isAnother({ etag }: StoredObject, { pinnedTo }: ReadPlan): boolean {
  return pinnedTo !== undefined && pinnedTo !== etag;
}

/**
 * Identifies the object that the store's answer describes.
 * @throws GatewayError what `BucketFormats.identify` throws
 */
export function identifyAnswer(
  { ref, stored, peeked }: FirstAnswer,
  context: OperationContext,
): Promise<IdentifiedObject> {
  return context.formats.identify({ ref, stored, content: peeked }, context);
}
