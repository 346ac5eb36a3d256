import type { StoredObject } from '../dialects/dialect.ts';
import type { PartEntry } from '../envelope/footer.ts';
import { clientError, GatewayError } from '../errors.ts';
import type { ObjectRef } from '../operations/object.ts';
import type { ByteRange } from '../wire/range.ts';
import { pinned } from './replaced.ts';
import type { OperationContext } from './services.ts';
import { manifestOf, type PlainObject, type SealedObject } from './stored.ts';

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
  if (!object.opened.head.multipart) return wholeAsPart(part, object.plaintextBytes);
  const { parts } = await pinned(manifestOf(object, ref, context));
  return partAmong(parts, part);
}

/** @throws GatewayError InvalidPartNumber */
export function partAmong(parts: readonly PartEntry[], part: number): PartRange {
  const entry = parts[part - 1];
  if (entry === undefined) throw noSuchPart(part, parts.length);
  const first = parts.slice(0, part - 1).reduce((bytes, { plaintextBytes }) => bytes + plaintextBytes, 0);
  return { range: { first, last: first + entry.plaintextBytes - 1 }, partsCount: parts.length };
}

function wholeAsPart(part: number, plaintextBytes: number): PartRange {
  if (part !== 1) throw noSuchPart(part, 1);
  return { range: { first: 0, last: plaintextBytes - 1 }, partsCount: undefined };
}

/** Its bytes are as they were sent, so the backend knows. */
async function plainPart(
  part: number,
  { stored }: PlainObject,
  ref: ObjectRef,
  { services, signal }: OperationContext,
): Promise<PartRange> {
  const { etag, versionId } = stored;
  // What range could a store tell of no bytes?
  if (stored.storedBytes === 0) return wholeAsPart(part, 0);
  const get = {
    ref: { ...ref, versionId: ref.versionId ?? versionId },
    part,
    conditions: { ifMatch: `"${etag}"` },
  };
  const { storedRange, storedBytes, partsCount } = await pinned(
    services.store.head(get, signal).catch((error: unknown): StoredObject => {
      if (error instanceof GatewayError && error.code === 'InvalidRange') throw noSuchPart(part, undefined);
      throw error;
    }),
  );
  if (storedRange === undefined && part !== 1) throw noSuchPart(part, 1);
  return { range: storedRange ?? { first: 0, last: storedBytes - 1 }, partsCount };
}

function noSuchPart(part: number, count: number | undefined): GatewayError {
  return clientError('InvalidPartNumber', 'The requested partnumber is not satisfiable', {
    details: { PartNumberRequested: String(part), ...(count !== undefined && { ActualPartCount: String(count) }) },
  });
}
