import { placeAmong } from '../../formats/part-place.ts';
import type { GetObject } from '../../operations/operation.ts';
import { planPinned, type ReadPlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';

/** How to read a part with one request, of an object whose list of parts is remembered. */
export interface RememberedPart {
  /** The same operation, with the part's range in place of its number. */
  readonly operation: GetObject;
  /** It is pinned to the object that is remembered. */
  readonly plan: ReadPlan;
  readonly partsCount: number;
}

/**
 * Finds the range of a part from the remembered layout of the object that was last seen at this place. One request,
 * pinned to that object, then brings the part; without a remembered layout a HEAD and the object's footer come first.
 * Returns undefined where nothing is remembered, and where the request has conditions: the store can judge one
 * condition only, and the pin is that one.
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
  // Only a look tells that there is no such part, or that it is empty: another object may have taken this one's place.
  if (known === undefined || place === undefined || place.range.last < place.range.first) return undefined;
  return {
    operation: { ...operation, range: { kind: 'from', ...place.range }, part: undefined, ifRange: undefined },
    plan: planPinned(known.etag),
    partsCount: place.partsCount,
  };
}
