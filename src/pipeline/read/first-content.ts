import { StoreClaim } from '../../dialects/store-claim.ts';
import type { StoredObject, StoreGet } from '../../dialects/store-exchange.ts';
import { type PeekedContent, peekedContent } from '../../formats/peeked-content.ts';
import { identify, type PlainObject, type SealedObject } from '../../formats/sx1/stored.ts';
import { mayFollowParts, storedGuess } from '../../formats/sx1/stored-guess.ts';
import type { GetObject } from '../../operations/operation.ts';
import { ObjectReplaced, pinned } from '../../store/pin.ts';
import type { StoredContent } from '../../store/store.ts';
import type { ByteRange } from '../../wire/range.ts';
import { judgeRead } from '../conditions/judge-read.ts';
import type { ReadPlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { pinnedGet } from './pinned-get.ts';
import { wantedRange } from './wanted-range.ts';

/** The first look at an object: what it is, and bytes of it on their way. */
export interface FirstContent {
  readonly object: SealedObject | PlainObject;
  /** To serve; undefined for all of it. */
  readonly range: ByteRange | undefined;
  /** All stored bytes when there is no range; else what holds the range if the guess was right. */
  readonly content: StoredContent;
}

export async function firstContent(
  operation: GetObject,
  plan: ReadPlan,
  context: OperationContext,
): Promise<FirstContent> {
  const { ref, range: asked } = operation;
  const { pinnedTo } = plan;
  // A range of no bytes cannot be asked for, nor satisfied.
  if (asked?.kind === 'suffix' && asked.bytes === 0) return secondLook(operation, plan, context);
  const get: StoreGet = {
    ref,
    range: asked && storedGuess(asked, ref, context),
    conditions: plan.asked,
  };
  const answer = await unlessReplaced(context.store.read(get, context.signal), pinnedTo);
  if (answer instanceof StoreClaim) return secondLook(operation, plan, context, answer);
  const { mixed } = context.policy;
  const peeked = mixed && (answer.object.storedRange?.first ?? 0) === 0 ? peekedContent(answer) : undefined;
  const content = peeked ?? answer;
  try {
    const object = await identified(operation, content.object, { context, plan, peeked });
    const range = await wantedRange(operation, object, context);
    if (asked !== undefined) rememberSingle(operation, object, context);
    if (range !== undefined || asked === undefined) return { object, range, content };
    content.discard();
    return { object, range, content: await pinnedGet(ref, object, undefined, context) };
  } catch (error) {
    content.discard();
    throw error;
  }
}

/**
 * What a store claims instead of giving the object is held against the object itself. That a range lies past its end
 * speaks of stored bytes, and is no proof that the client asked for too much: the object may have been cut short in the
 * backend; or it is not sealed, and its bytes lie before those of the guess.
 * @throws GatewayError InvalidRange, NotModified, PreconditionFailed where the object bears the claim out;
 *   ObjectReplaced where it does not
 */
async function secondLook(
  operation: GetObject,
  plan: ReadPlan,
  context: OperationContext,
  claim?: StoreClaim,
): Promise<FirstContent> {
  const { ref } = operation;
  const { pinnedTo } = plan;
  if (pinnedTo !== undefined && claim?.code === 'PreconditionFailed') throw new ObjectReplaced({ cause: claim });
  // Where the object's bytes once lay may have led past the end of the one that is there now.
  if (claim?.code === 'InvalidRange') context.layouts.delete(context.keys.scope, ref);
  const looking = context.store.head({ ref, conditions: {} }, context.signal);
  // A store that claimed something of the object has it: if it is gone now, it was replaced or deleted meanwhile.
  const stored = await (claim === undefined ? unlessReplaced(looking, pinnedTo) : pinned(looking));
  const object = await identified(operation, stored, { context, plan });
  if (claim !== undefined && claim.code !== 'InvalidRange') throw new ObjectReplaced({ cause: claim });
  const range = await wantedRange(operation, object, context);
  if (range !== undefined && object.kind === 'sealed') throw new ObjectReplaced(); // by a longer one, since the answer
  return { object, range, content: await pinnedGet(ref, object, range, context) };
}

/** Which object it is, after the client's conditions let it pass. */
async function identified(
  { ref }: GetObject,
  stored: StoredObject,
  {
    context,
    plan,
    peeked,
  }: {
    readonly context: OperationContext;
    readonly plan: ReadPlan;
    readonly peeked?: PeekedContent | undefined;
  },
): Promise<SealedObject | PlainObject> {
  if (plan.pinnedTo !== undefined && plan.pinnedTo !== stored.etag) throw new ObjectReplaced();
  const object = await identify(ref, stored, context, peeked);
  await judgeRead(plan, object, ref, context);
  return object;
}

function unlessReplaced<T>(asked: Promise<T>, pinnedTo: string | undefined): Promise<T> {
  return pinnedTo === undefined ? asked : pinned(asked);
}

/** So that the next range of it is asked for exactly. */
function rememberSingle(
  { ref, range }: GetObject,
  object: SealedObject | PlainObject,
  context: OperationContext,
): void {
  if (object.kind !== 'sealed' || object.opened.head.multipart || range === undefined) return;
  if (mayFollowParts(range, context)) context.layouts.setSingle(context.keys.scope, ref);
}
