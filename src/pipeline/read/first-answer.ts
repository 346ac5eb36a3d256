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

/** The store's first answer about an object, before anybody knows what the object is. */
export interface FirstAnswer {
  readonly ref: ObjectRef;
  readonly stored: StoredObject;
  /** The bytes that are on their way: all, or those that were guessed to hold the range. undefined after a mere look. */
  readonly content: StoredContent | undefined;
  /** The same bytes, where they begin with the object's first one and identifying the object may want to see that. */
  readonly peeked: PeekedContent | undefined;
  /** What the store claimed instead of giving the object, to be held against the object itself. */
  readonly claim: StoreClaim | undefined;
}

/**
 * Asks for an object as the plan says.
 * @throws ObjectReplaced where it is not the one that the plan is pinned to; and what GET and HEAD throw
 */
export async function firstAnswer(
  { ref, range }: GetObject,
  plan: ReadPlan,
  context: OperationContext,
): Promise<FirstAnswer> {
  if (plan.how === 'look first') return lookedAt(ref, context);
  const { formats, signal, store } = context;
  const get = { ref, range: range && formats.write.guess(range, ref, context), conditions: plan.asked };
  const asked = store.read(get, signal);
  const answer = await (plan.pinnedTo === undefined ? asked : pinned(asked));
  if (answer instanceof StoreClaim) return lookedAtAfter(answer, ref, plan, context);
  if (isAnother(answer.object, plan)) {
    answer.discard();
    throw new ObjectReplaced();
  }
  const peeked = formats.peeks && (answer.object.storedRange?.first ?? 0) === 0 ? peekedContent(answer) : undefined;
  return { ref, stored: answer.object, content: peeked ?? answer, peeked, claim: undefined };
}

/** Looks at an object by a HEAD, whatever the conditions on it. @throws GatewayError what HEAD throws */
export async function lookedAt(ref: ObjectRef, { store, signal }: OperationContext): Promise<FirstAnswer> {
  const stored = await store.head({ ref, conditions: {} }, signal);
  return { ref, stored, content: undefined, peeked: undefined, claim: undefined };
}

/**
 * Looks at an object of which the store claimed something instead of giving it. That a range lies past its end speaks of
 * stored bytes, and is no proof that the client asked for too much: the object may have been cut short in the store, or
 * it lies there in another format than the range was guessed for.
 */
async function lookedAtAfter(
  claim: StoreClaim,
  ref: ObjectRef,
  plan: ReadPlan,
  context: OperationContext,
): Promise<FirstAnswer> {
  if (plan.pinnedTo !== undefined && claim.code === 'PreconditionFailed') throw new ObjectReplaced({ cause: claim });
  // Where the object's bytes once lay may have led past the end of the one that is there now.
  if (claim.code === 'InvalidRange') context.formats.write.forget(ref, context);
  // A store that claimed something of the object has it: if it is gone now, it was replaced or deleted meanwhile.
  const looked = await pinned(lookedAt(ref, context));
  if (isAnother(looked.stored, plan)) throw new ObjectReplaced();
  return { ...looked, claim };
}

function isAnother({ etag }: StoredObject, { pinnedTo }: ReadPlan): boolean {
  return pinnedTo !== undefined && pinnedTo !== etag;
}

/** Identifies the object that the store's answer describes. @throws GatewayError what `BucketFormats.identify` throws */
export function identified({ ref, stored, peeked }: FirstAnswer, context: OperationContext): Promise<IdentifiedObject> {
  return context.formats.identify({ ref, stored, content: peeked }, context);
}
