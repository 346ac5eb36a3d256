import { ConclusiveError, clientError, type GatewayError } from '../../errors.ts';
import type { IdentifiedObject } from '../../formats/format.ts';
import type { Conditions } from '../../wire/conditions.ts';
import { judge, type Verdict } from '../../wire/judged-conditions.ts';
import type { OperationContext } from '../context.ts';
import { shownEtag } from '../etags/shown-etag.ts';
import type { ReadPlan, SourcePlan } from './plan.ts';

/**
 * Judges a read's conditions against the identified object.
 * @throws GatewayError PreconditionFailed, NotModified, and what `shownEtag` throws
 */
export async function judgeRead(
  { judged }: ReadPlan,
  object: IdentifiedObject,
  context: OperationContext,
): Promise<void> {
  if (judged === undefined) return;
  const verdict = await verdictOf(judged, object, context);
  if (verdict === 'failed') throw preconditionFailed();
  if (verdict === 'not modified') throw notModified(object, await shownEtag(object, context));
}

/**
 * Judges the conditions on a copy's source against the identified object.
 * @throws GatewayError PreconditionFailed, also where a GET would answer 304; InvalidArgument for a date that cannot be
 *   parsed; and what `shownEtag` throws
 */
export async function judgeSource(
  { judged, unreadable }: SourcePlan,
  object: IdentifiedObject,
  context: OperationContext,
): Promise<void> {
  if (unreadable === 'ifUnmodifiedSince') throw unreadableDate();
  if (judged !== undefined && (await verdictOf(judged, object, context)) !== 'holds') throw preconditionFailed();
  if (unreadable !== undefined) throw unreadableDate();
}

async function verdictOf(judged: Conditions, object: IdentifiedObject, context: OperationContext): Promise<Verdict> {
  const { etag, lastModified } = object.stored;
  // In buckets with MD5 ETags, to know the ETag may cost a request. Conditions on dates do not need it.
  const byEtag = (judged.ifMatch ?? judged.ifNoneMatch) !== undefined;
  return judge(judged, { etags: byEtag ? [await shownEtag(object, context), etag] : [], lastModified });
}

/** A 304 carries the headers for caches that a 200 would have carried (RFC 9110 §15.4.5). */
function notModified(object: IdentifiedObject, shown: string): GatewayError {
  const { lastModified, metadata } = object.stored;
  const { cacheControl, expires } = metadata.content;
  const facts = { etag: shown, lastModified, cacheControl, expires };
  return new ConclusiveError('NotModified', 'The object was not modified.', { proof: object, facts });
}

/** Makes the error PreconditionFailed, with S3's message. */
export function preconditionFailed(): GatewayError {
  return clientError('PreconditionFailed', 'At least one of the preconditions you specified did not hold.');
}

function unreadableDate(): GatewayError {
  return clientError('InvalidArgument', 'A condition on the copy source has a date that cannot be read.');
}
