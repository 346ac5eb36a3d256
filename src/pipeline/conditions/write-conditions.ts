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
 * Conditions on what stands where a client writes, as the store is asked them. The store decides, atomically with the
 * write. Where it does not know the ETags that the client speaks of, they are judged here of what stands there now, and
 * the write is pinned to the backend's ETag of it: then the store decides, as atomically, that it is still the object
 * that was judged.
 */

export function writePlanOf(conditions: Conditions, context: OperationContext): WritePlan {
  const { capabilities } = context.findings;
  return planWrite(conditions, { etags: etagsOf(context), inHand: false, capabilities });
}

/** The plan of a write that replaces an object which was read for it, and no other. */
export function replacingPlanOf(conditions: Conditions, context: OperationContext): WritePlan {
  const { capabilities } = context.findings;
  return planWrite(conditions, { etags: etagsOf(context), inHand: true, capabilities });
}

export function deletePlanOf(condition: string | undefined, context: OperationContext): DeletePlan {
  const { capabilities } = context.findings;
  return planDelete(condition, { etags: etagsOf(context), capabilities });
}

/** An object that lies as it was sent has the store's own ETag, whatever the bucket's mode. */
function etagsOf({ formats, policy }: OperationContext): EtagForm {
  return formats.write.asSent ? 'opaque' : policy.etag;
}

/**
 * The conditions that a write carries to the store.
 * @param inHand the object that the write replaces, where the plan is of such a write
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
  // An ETag that nothing has is refused by the store, in its own words; else there must still be nothing.
  if (seen === undefined) return { ifMatch: conditions.ifMatch, ifNoneMatch: conditions.ifNoneMatch && '*' };
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch !== undefined && !namesEtag(ifMatch, seen.etags, 'strongly')) throw preconditionFailed();
  if (ifNoneMatch !== undefined && namesEtag(ifNoneMatch, seen.etags, 'weakly')) throw preconditionFailed();
  return { ifMatch: `"${seen.backendEtag}"` };
}

/**
 * The condition that a deletion carries to the store. One that names nothing there goes as it is, and the store refuses
 * it in its own words.
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

/** @throws GatewayError NotImplemented where the store would ignore the condition and delete whatever lies there */
export function mustBeHeldTo({ how }: DeletePlan, { findings }: OperationContext): void {
  if (how === 'refuse') throw ignoredOnDelete(findings);
}

/**
 * Checks, before anything is sent, that the store judges the conditions of a client's PutObject. What the gateway itself
 * writes on a condition is safer with it than without.
 * @throws GatewayError NotImplemented where it would ignore them, and replace what the client means to keep
 */
export function mustBeHeldOnPut({ heldOnPut }: WritePlan, { findings }: OperationContext): void {
  if (!heldOnPut) throw ignoredOnPut(findings);
}

/**
 * Checks, before anything is sent, that the store judges the conditions of a write that becomes a multipart upload.
 * @throws GatewayError NotImplemented where it would ignore them, and replace what the client means to keep
 */
export function mustBeHeldOnComplete(
  { heldOnComplete }: Pick<WritePlan, 'heldOnComplete'>,
  { findings }: OperationContext,
): void {
  if (!heldOnComplete) throw ignoredOnComplete(findings);
}

/** What stands at a key, and all the ETags that name it, unquoted. */
interface Seen {
  readonly backendEtag: string;
  readonly etags: readonly string[];
}

async function namesOf(
  { ifMatch, ifNoneMatch }: Conditions,
  inHand: IdentifiedObject | undefined,
  context: OperationContext,
): Promise<Seen> {
  if (inHand === undefined) throw new Error('a write that replaces what was read needs the object that it replaces');
  const { etag } = inHand.stored;
  // The ETag of mode `md5` may cost a request.
  const asked = (ifMatch ?? ifNoneMatch) !== undefined;
  return { backendEtag: etag, etags: asked ? [await shownEtag(inHand, context), etag] : [] };
}

/** What stands there now; undefined: nothing. What cannot be opened has its opaque ETag, and can be replaced by that. */
function lookFor(ref: ObjectRef, context: OperationContext): Promise<Seen | undefined> {
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
  'ObjectCorrupted',
  'ObjectMoved',
  'ObjectNotSealed',
  'KeyUnavailable',
]);

/** An error of the object itself, and not of its store or of the key store, which may mend. */
function cannotBeOpened(error: unknown): boolean {
  return error instanceof GatewayError && UNOPENABLE.has(error.code);
}
