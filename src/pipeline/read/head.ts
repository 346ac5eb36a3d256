import { GatewayError } from '../../errors.ts';
import type { IdentifiedObject } from '../../formats/format.ts';
import type { ObjectDetails } from '../../formats/object-details.ts';
import type { ObjectContent } from '../../operations/answer.ts';
import type { HeadObject } from '../../operations/operation.ts';
import { ofOneObject } from '../../store/one-object.ts';
import { readingAgain } from '../../store/pin.ts';
import { judgeRead } from '../conditions/judge-read.ts';
import { planRead, type ReadPlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { type FirstAnswer, identifyAnswer, lookAt } from './first-answer.ts';
import { factsOf } from './object-facts.ts';
import { wantedOf } from './wanted-range.ts';

/**
 * Answers HeadObject. One HEAD of the backend is enough where the envelope proves the object's length. The length of a
 * multipart object is proven by its footer only, so the footer is read unless it is remembered. The length must be
 * proven, because a client that downloads in ranges stops where HEAD said that the object ends.
 */
export function headObject(operation: HeadObject, context: OperationContext): Promise<ObjectContent> {
  const plan = planRead(operation.conditions, { etags: context.policy.etag, looksAnyway: true });
  return readingAgain(async () => {
    const answer = await lookAt(operation.ref, context);
    return ofOneObject(answer, context, () => headIn(answer, operation, plan, context));
  });
}

async function headIn(
  answer: FirstAnswer,
  operation: HeadObject,
  plan: ReadPlan,
  context: OperationContext,
): Promise<ObjectContent> {
  const { overrides, wantsChecksum } = operation;
  const object = await identifyAnswer(answer, context);
  await judgeRead(plan, object, context);
  const { range, partsCount } = await wantedOf(operation, object, context);
  const needsDetails = (wantsChecksum && range === undefined) || object.provenBytes === undefined;
  const end = needsDetails ? await endOf(object) : undefined;
  const facts = await factsOf(object, context, { ...end, wantsChecksum });
  return { kind: 'ObjectContent', facts, range, partsCount, overrides, body: undefined };
}

/** Reads the object's footer. An archived object's cannot be read; its HEAD is then answered without a length. */
async function endOf(
  object: IdentifiedObject,
): Promise<{ readonly details: ObjectDetails } | { readonly withoutLength: boolean }> {
  try {
    return { details: await object.details() };
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'InvalidObjectState') throw error;
    return { withoutLength: object.provenBytes === undefined };
  }
}
