import { ConclusiveError, clientError, GatewayError } from '../../errors.ts';
import { identify, type PlainObject, readConditions, type SealedObject } from '../../formats/sx1/stored.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { effectiveConditions, judge, namesEtag } from '../../store/conditions.ts';
import { backendEtags, clientEtag } from '../../store/etag.ts';
import { readingAgain } from '../../store/pin.ts';
import type { Conditions } from '../../wire/conditions.ts';
import type { OperationContext } from '../context.ts';
import { shownEtag } from './shown-etag.ts';

/**
 * Conditions in ETags (FORMAT.md §8). Those of a read are judged here, of an object that was identified: a store's own
 * verdict is only a claim. In mode `opaque` the backend's ETags are the client's, and it judges writes, atomically.
 * In mode `md5` it does not know what the client speaks of. So the object is looked at first, the client's ETags are
 * held against what that one is shown as, and what follows is pinned to the backend's ETag of it: the backend judges,
 * as atomically, that it is still the object that was judged here. An ETag in the opaque form, which a client kept from
 * before the mode was chosen, names the object too.
 */

/**
 * The object as a HEAD finds it, under the client's conditions on reading it.
 * @throws GatewayError PreconditionFailed, NotModified, and what HEAD and `identify` throw
 */
export async function lookAt(
  { ref, conditions }: { readonly ref: ObjectRef; readonly conditions: Conditions },
  context: OperationContext,
): Promise<SealedObject | PlainObject> {
  const { store, signal } = context;
  const object = await identify(ref, await store.head({ ref, conditions: {} }, signal), context);
  await mustPass(conditions, object, ref, context);
  return object;
}

/** Whether a read must look first: its conditions are not the backend's to judge. */
export function mustLookFirst(conditions: Conditions, { policy }: OperationContext): boolean {
  return policy.etag === 'md5' && effectiveConditions(readConditions(conditions)) !== undefined;
}

/**
 * Holds the client's conditions on a read against the object.
 * @throws GatewayError PreconditionFailed, NotModified
 */
export async function mustPass(
  conditions: Conditions,
  object: SealedObject | PlainObject,
  ref: ObjectRef,
  context: OperationContext,
): Promise<void> {
  const effective = effectiveConditions(readConditions(conditions));
  if (effective === undefined) return;
  const { stored } = object;
  const shown = await shownEtag(object, ref, context);
  const verdict = judge(effective, { etags: [shown, stored.etag], lastModified: stored.lastModified });
  if (verdict === 'failed') throw preconditionFailed();
  if (verdict === 'not modified') throw notModified(object, shown);
}

/** A 304 says what a 200 would have said to a cache (RFC 9110 §15.4.5). */
function notModified(object: SealedObject | PlainObject, shown: string): GatewayError {
  const { lastModified, metadata } = object.stored;
  const { cacheControl, expires } = metadata.content;
  const facts = { etag: shown, lastModified, cacheControl, expires };
  return new ConclusiveError('NotModified', 'The object was not modified.', { proof: object, facts });
}

/**
 * The client's conditions on what stands where it writes, for the backend to judge.
 * @throws GatewayError PreconditionFailed where they fail already, and what HEAD throws
 */
export async function conditionsForWriting(
  conditions: Conditions,
  ref: ObjectRef,
  context: OperationContext,
): Promise<Conditions> {
  const ifMatch = backendEtags(conditions.ifMatch);
  const ifNoneMatch = backendEtags(conditions.ifNoneMatch);
  if (!speaksOfEtags(ifMatch, context) && !speaksOfEtags(ifNoneMatch, context)) return { ifMatch, ifNoneMatch };
  const seen = await lookForWriting(ref, context);
  // Nothing there: an ETag that nothing has is refused by the backend, in its own words; else it must stay so.
  if (seen === undefined) return { ifMatch, ifNoneMatch: ifNoneMatch && '*' };
  checkForWriting({ ifMatch, ifNoneMatch }, seen.etags);
  return { ifMatch: `"${seen.backendEtag}"` };
}

/**
 * Holds the conditions of a write against the object that it would replace.
 * @param etags all that name the object, unquoted
 * @throws GatewayError PreconditionFailed
 */
export function checkForWriting({ ifMatch, ifNoneMatch }: Conditions, etags: readonly string[]): void {
  const fails =
    (ifMatch !== undefined && !namesEtag(ifMatch, etags, 'strongly')) ||
    (ifNoneMatch !== undefined && namesEtag(ifNoneMatch, etags, 'weakly'));
  if (fails) throw preconditionFailed();
}

/** The same of a deletion: what does not name the object goes as it is, and the backend refuses it in its own words. */
export async function deleteCondition(
  condition: string | undefined,
  ref: ObjectRef,
  context: OperationContext,
): Promise<string | undefined> {
  const ifMatch = backendEtags(condition);
  if (ifMatch === undefined || !speaksOfEtags(ifMatch, context)) return ifMatch;
  const seen = await lookForWriting(ref, context);
  return seen !== undefined && namesEtag(ifMatch, seen.etags, 'strongly') ? `"${seen.backendEtag}"` : ifMatch;
}

/** `*` the backend judges by itself, and in a bucket without protection its ETags are the client's. */
function speaksOfEtags(condition: string | undefined, { policy }: OperationContext): boolean {
  if (policy.etag === 'opaque' || policy.protection === 'none') return false;
  return condition !== undefined && condition.trim() !== '*';
}

interface Seen {
  readonly backendEtag: string;
  /** All that name it, unquoted. */
  readonly etags: readonly string[];
}

/** What stands there now; undefined: nothing. What cannot be opened has its opaque ETag, and can be replaced by that. */
function lookForWriting(ref: ObjectRef, context: OperationContext): Promise<Seen | undefined> {
  return readingAgain(async () => {
    const { store } = context;
    const stored = await store.head({ ref, conditions: {} }, context.signal).catch(unlessAbsent);
    if (stored === undefined) return undefined;
    const { etag } = stored;
    try {
      const shown = await shownEtag(await identify(ref, stored, context), ref, context);
      return { backendEtag: etag, etags: [shown, etag] };
    } catch (error) {
      if (!isUnopenable(error)) throw error;
      return { backendEtag: etag, etags: [clientEtag(etag), etag] };
    }
  });
}

const ABSENT: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'NoSuchKey',
  'NoSuchVersion',
  'MethodNotAllowed', // a delete marker
]);

function unlessAbsent(error: unknown): undefined {
  if (error instanceof GatewayError && ABSENT.has(error.code)) return undefined;
  throw error;
}

const UNOPENABLE: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'ObjectCorrupted',
  'ObjectMoved',
  'ObjectNotSealed',
  'KeyUnavailable',
]);

/** There is something, and nobody can say what: not the fault of its store or of the key store, which may mend. */
function isUnopenable(error: unknown): boolean {
  return error instanceof GatewayError && UNOPENABLE.has(error.code);
}

function preconditionFailed(): GatewayError {
  return clientError('PreconditionFailed', 'At least one of the preconditions you specified did not hold.');
}
