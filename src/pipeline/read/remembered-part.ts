import { placeAmong } from '../../formats/part-place.ts';
import type { GetObject } from '../../operations/operation.ts';
import { planPinned, type ReadPlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';

/** How a part is read at once, of the object whose list of parts is remembered. */
export interface RememberedPart {
  /** The part as a range. */
  readonly operation: GetObject;
  readonly plan: ReadPlan;
  readonly partsCount: number;
}

/**
 * Tells where a part lies in the object that is remembered of its place. A request pinned to that object then brings the part;
 * otherwise a HEAD and the object's end come before it. undefined where nothing is remembered, or where conditions are
 * to be judged: the store judges one condition for us, and that is the pin.
 */
export function rememberedPart(
  operation: GetObject,
  plan: ReadPlan,
  context: OperationContext,
): RememberedPart | undefined {
  const { ref, part } = operation;
  if (part === undefined || plan.judged !== undefined) return undefined;
  const known = context.formats.write.remembered(ref, context);
  const place = known?.parts && placeAmong(known.parts, part);
  // An object that took this one's place may have that many parts, or bytes there.
  if (known === undefined || place === undefined || place.range.last < place.range.first) return undefined;
  return {
    operation: { ...operation, range: { kind: 'from', ...place.range }, part: undefined, ifRange: undefined },
    plan: planPinned(known.etag),
    partsCount: place.partsCount,
  };
}
