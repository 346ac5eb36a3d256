import type { ObjectContent } from '../../operations/answer.ts';
import type { GetObject } from '../../operations/operation.ts';
import { ObjectReplaced, pinned, readingAgain } from '../../store/pin.ts';
import { planRead, type ReadPlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { getObject } from './get.ts';
import { lookAt } from './look-at.ts';
import { type PartRange, partAmong, partRange } from './part-range.ts';
import { factsOf } from './told-facts.ts';

/**
 * GetObject of one part: a range that the sealed list of parts tells. With that list known, one request of the backend,
 * pinned to the object that it is of; else a HEAD and the footer come before it.
 */
export async function getPart(operation: GetObject, part: number, context: OperationContext): Promise<ObjectContent> {
  const plan = planRead(operation.conditions, { etags: context.policy.etag, looksAnyway: true });
  const known = plan.judged === undefined ? await knownPart(operation, part, context) : undefined;
  return known ?? readingAgain(() => attemptPart(operation, part, plan, context));
}

async function knownPart(
  operation: GetObject,
  part: number,
  context: OperationContext,
): Promise<ObjectContent | undefined> {
  const { layouts } = context;
  const known = layouts.get(context.keys.scope, operation.ref);
  if (known?.layout === undefined) return undefined;
  const found = partAmong(known.manifest.parts, part);
  // An object that took this one's place may have that many parts, or bytes there.
  if (found === undefined || isEmpty(found)) return undefined;
  try {
    return await read(operation, found, known.backendEtag, context);
  } catch (error) {
    if (!(error instanceof ObjectReplaced)) throw error;
    layouts.delete(context.keys.scope, operation.ref);
    return undefined;
  }
}

async function attemptPart(
  operation: GetObject,
  part: number,
  plan: ReadPlan,
  context: OperationContext,
): Promise<ObjectContent> {
  const { ref, overrides } = operation;
  const object = await lookAt(ref, plan, context);
  const found = await partRange(part, object, ref, context);
  if (!isEmpty(found)) return read(operation, found, object.stored.etag, context);
  return {
    kind: 'ObjectContent',
    facts: await factsOf(object, ref, context),
    ...found,
    overrides,
    body: Buffer.alloc(0),
  };
}

async function read(
  operation: GetObject,
  { range, partsCount }: PartRange,
  backendEtag: string,
  context: OperationContext,
): Promise<ObjectContent> {
  const get: GetObject = {
    ...operation,
    range: { kind: 'from', ...range },
    part: undefined,
    ifRange: undefined,
    conditions: {},
  };
  return { ...(await pinned(getObject(get, context, backendEtag))), partsCount };
}

function isEmpty({ range }: PartRange): boolean {
  return range.last < range.first;
}
