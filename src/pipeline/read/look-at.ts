import { identify, type PlainObject, type SealedObject } from '../../formats/sx1/stored.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { judgeRead } from '../conditions/judge-read.ts';
import type { ReadPlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';

/**
 * The object as a HEAD finds it, under the client's conditions on reading it.
 * @throws GatewayError PreconditionFailed, NotModified, and what HEAD and `identify` throw
 */
export async function lookAt(
  ref: ObjectRef,
  plan: ReadPlan,
  context: OperationContext,
): Promise<SealedObject | PlainObject> {
  const { store, signal } = context;
  const object = await identify(ref, await store.head({ ref, conditions: {} }, signal), context);
  await judgeRead(plan, object, ref, context);
  return object;
}
