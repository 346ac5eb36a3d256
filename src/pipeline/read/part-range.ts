import { UnexplainedClaim } from '../../dialects/store-claim.ts';
import type { StoredObject } from '../../dialects/store-exchange.ts';
import type { PartEntry } from '../../envelope/footer.ts';
import { ConclusiveError, type GatewayError, type Proof } from '../../errors.ts';
import { manifestOf, type PlainObject, provenLength, type SealedObject } from '../../formats/sx1/stored.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { ObjectReplaced, pinned } from '../../store/pin.ts';
import type { ByteRange } from '../../wire/range.ts';
import type { OperationContext } from '../context.ts';

/** Where a part of an object lies in its plaintext. */
export interface PartRange {
  /** Of a part without bytes, `last` comes before `first`. */
  readonly range: ByteRange;
  /** How many parts the object was sent in; undefined when it was sent in one go. */
  readonly partsCount: number | undefined;
}

/**
 * The part at a place, counted from 1 without gaps whatever numbers the client gave: whoever reads 1, 2, 3 … up to the
 * number of parts has read the object.
 * @throws GatewayError InvalidPartNumber
 */
export async function partRange(
  part: number,
  object: SealedObject | PlainObject,
  ref: ObjectRef,
  context: OperationContext,
): Promise<PartRange> {
  if (object.kind === 'plain') return plainPart(part, object, ref, context);
  if (!object.opened.head.multipart) return wholeAsPart(part, await provenLength(object, ref, context), object);
  const { parts } = await pinned(manifestOf(object, ref, context));
  const found = partAmong(parts, part);
  if (found === undefined) throw noSuchPart(part, parts.length, object);
  return found;
}

export function partAmong(parts: readonly PartEntry[], part: number): PartRange | undefined {
  const entry = parts[part - 1];
  if (entry === undefined) return undefined;
  const first = parts.slice(0, part - 1).reduce((bytes, { plaintextBytes }) => bytes + plaintextBytes, 0);
  return { range: { first, last: first + entry.plaintextBytes - 1 }, partsCount: parts.length };
}

function wholeAsPart(part: number, plaintextBytes: number, object: Proof): PartRange {
  if (part !== 1) throw noSuchPart(part, 1, object);
  return { range: { first: 0, last: plaintextBytes - 1 }, partsCount: undefined };
}

/** Its bytes are as they were sent, so the backend knows. */
async function plainPart(
  part: number,
  object: PlainObject,
  ref: ObjectRef,
  context: OperationContext,
): Promise<PartRange> {
  const { storedBytes } = object.stored;
  // An empty object's only part has no range that a store could tell.
  if (storedBytes === 0) return wholeAsPart(part, 0, object);
  const found = await storedPart(part, object, ref, context);
  if (found === undefined) {
    // That a part is not there is believed only when the first part, which every object has, says how many there are.
    const { partsCount = 1 } = part === 1 ? {} : ((await storedPart(1, object, ref, context)) ?? {});
    if (part <= partsCount) throw new ObjectReplaced();
    throw noSuchPart(part, partsCount, object);
  }
  const { storedRange, partsCount } = found;
  if (storedRange === undefined && part !== 1) throw noSuchPart(part, 1, object);
  return { range: storedRange ?? { first: 0, last: storedBytes - 1 }, partsCount };
}

/** The head of one part; undefined where the store says that there is no such part. */
async function storedPart(
  part: number,
  { stored }: PlainObject,
  ref: ObjectRef,
  { store, signal }: OperationContext,
): Promise<StoredObject | undefined> {
  const { etag, versionId } = stored;
  const get = {
    ref: { ...ref, versionId: ref.versionId ?? versionId },
    part,
    conditions: { ifMatch: `"${etag}"` },
  };
  try {
    const found = await store.head(get, signal);
    if (found.etag !== etag || found.storedBytes !== stored.storedBytes) throw new ObjectReplaced();
    return found;
  } catch (error) {
    if (error instanceof UnexplainedClaim && error.claim === 'InvalidRange') return undefined;
    return pinned(Promise.reject(error));
  }
}

/** @param object the proof: what is known of it says how many parts there are */
function noSuchPart(part: number, count: number, object: Proof): GatewayError {
  return new ConclusiveError('InvalidPartNumber', 'The requested partnumber is not satisfiable', {
    proof: object,
    details: { PartNumberRequested: String(part), ActualPartCount: String(count) },
  });
}
