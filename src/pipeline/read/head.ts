import type { Manifest } from '../../envelope/footer.ts';
import { GatewayError } from '../../errors.ts';
import { manifestOf, type SealedObject } from '../../formats/sx1/stored.ts';
import type { ObjectContent } from '../../operations/answer.ts';
import type { ObjectRef } from '../../operations/object.ts';
import type { HeadObject } from '../../operations/operation.ts';
import { pinned, readingAgain } from '../../store/pin.ts';
import { planRead, type ReadPlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { lookAt } from './look-at.ts';
import { partRange } from './part-range.ts';
import { factsOf } from './told-facts.ts';
import { wantedRange } from './wanted-range.ts';

/**
 * HeadObject: one backend HEAD; the envelope knows the length. Of a multipart object the footer knows it, which is read
 * once more unless it is remembered: who downloads in ranges ends where HEAD said that the object ends.
 */
export function headObject(operation: HeadObject, context: OperationContext): Promise<ObjectContent> {
  const plan = planRead(operation.conditions, { etags: context.policy.etag, looksAnyway: true });
  return readingAgain(() => attemptHead(operation, plan, context));
}

async function attemptHead(operation: HeadObject, plan: ReadPlan, context: OperationContext): Promise<ObjectContent> {
  const { ref, wantsChecksum } = operation;
  const object = await lookAt(ref, plan, context);
  const ofPart = operation.part === undefined ? undefined : await partRange(operation.part, object, ref, context);
  const range = ofPart?.range ?? (await wantedRange(operation, object, context));
  const needsEnd = object.kind === 'sealed' && ((wantsChecksum && range === undefined) || object.opened.head.multipart);
  const end = needsEnd ? await endOf(object, ref, context) : undefined;
  return {
    kind: 'ObjectContent',
    facts: await factsOf(object, ref, context, { ...end, wantsChecksum }),
    range,
    partsCount: ofPart?.partsCount,
    overrides: operation.overrides,
    body: undefined,
  };
}

/** Of an archived object the end cannot be read, and a HEAD must say all the same that it is archived, or back. */
async function endOf(
  object: SealedObject,
  ref: ObjectRef,
  context: OperationContext,
): Promise<{ readonly manifest: Manifest } | { readonly withoutLength: boolean }> {
  try {
    return { manifest: await pinned(manifestOf(object, ref, context)) };
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'InvalidObjectState') throw error;
    return { withoutLength: object.opened.head.multipart };
  }
}
