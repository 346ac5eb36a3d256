import type { StoreGet } from '../dialects/dialect.ts';
import { GatewayError } from '../errors.ts';
import type { GetObject } from '../operations/operation.ts';
import type { ByteRange } from '../wire/range.ts';
import { pinnedGet } from './pinned-get.ts';
import { ObjectReplaced, pinned } from './replaced.ts';
import type { OperationContext } from './services.ts';
import type { StoredContent } from './store.ts';
import { identify, type PlainObject, readConditions, type SealedObject } from './stored.ts';
import { mayFollowParts, storedGuess } from './stored-guess.ts';
import { wantedRange } from './wanted-range.ts';

/** The first look at an object: what it is, and bytes of it on their way. */
export interface FirstContent {
  readonly object: SealedObject | PlainObject;
  /** To serve; undefined for all of it. */
  readonly range: ByteRange | undefined;
  /** All stored bytes when there is no range; else what holds the range if the guess was right. */
  readonly content: StoredContent;
}

/** @param pinnedTo the backend's ETag of the very object to read, the client's conditions judged already */
export async function firstContent(
  operation: GetObject,
  context: OperationContext,
  pinnedTo: string | undefined,
): Promise<FirstContent> {
  const { ref, range: asked } = operation;
  const { store } = context.services;
  // A range of no bytes cannot be asked for, nor satisfied.
  if (asked?.kind === 'suffix' && asked.bytes === 0) return withoutGuess(operation, context, pinnedTo);
  const get: StoreGet = {
    ref,
    range: asked && storedGuess(asked, ref, context),
    conditions: conditionsOf(operation, pinnedTo),
  };
  let content: StoredContent;
  try {
    content = await unlessReplaced(store.get(get, context.signal), pinnedTo);
  } catch (error) {
    if (asked === undefined || !isPastTheEnd(error)) throw error;
    return withoutGuess(operation, context, pinnedTo);
  }
  try {
    if (pinnedTo !== undefined && pinnedTo !== content.object.etag) throw new ObjectReplaced();
    const object = await identify(ref, content.object, context);
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
 * The backend's 416 speaks of stored bytes: its numbers must not reach the client, and it is no proof that the client
 * asked for too much. The object may have been cut short in the backend; or it is not sealed, and its bytes lie before
 * those of the guess.
 */
async function withoutGuess(
  operation: GetObject,
  context: OperationContext,
  pinnedTo: string | undefined,
): Promise<FirstContent> {
  const { ref } = operation;
  // Where the object's bytes once lay may have led past the end of the one that is there now.
  context.services.layouts.delete(context.tenant.name, ref);
  const get = { ref, conditions: conditionsOf(operation, pinnedTo) };
  const stored = await unlessReplaced(context.services.store.head(get, context.signal), pinnedTo);
  const object = await identify(ref, stored, context);
  const range = await wantedRange(operation, object, context);
  if (range !== undefined && object.kind === 'sealed') throw new ObjectReplaced(); // by a longer one, since the answer
  return { object, range, content: await pinnedGet(ref, object, range, context) };
}

function conditionsOf(operation: GetObject, pinnedTo: string | undefined): StoreGet['conditions'] {
  return pinnedTo === undefined ? readConditions(operation.conditions) : { ifMatch: `"${pinnedTo}"` };
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
  if (mayFollowParts(range, context)) context.services.layouts.setSingle(context.tenant.name, ref);
}

function isPastTheEnd(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'InvalidRange';
}
