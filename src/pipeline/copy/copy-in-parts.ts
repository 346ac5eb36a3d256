import type { BackendLimits } from '../../dialects/backend-limits.ts';
import type { CompletedPart, StoredCopy } from '../../dialects/store-exchange.ts';
import type { ObjectMetadata, ObjectSettings } from '../../operations/object.ts';
import type { CopyObject } from '../../operations/operation.ts';
import { mustStillStand } from '../../store/mend/unpinned-copies.ts';
import { pinned } from '../../store/pin.ts';
import type { ProvenUpload } from '../../store/proven-upload.ts';
import type { ByteRange } from '../../wire/range.ts';
import {
  conditionsToSend,
  mustBeHeldOnComplete,
  replacingPlanOf,
  writePlanOf,
} from '../conditions/write-conditions.ts';
import type { OperationContext } from '../context.ts';
import { writtenAt } from '../write/write-answer.ts';
import { replacesItself } from './copy-in-place.ts';
import { type SourceObject, sourceTags } from './copy-source.ts';

/** Stores copy parts of one upload side by side; more would crowd out others' requests. */
const PARTS_AT_ONCE = 4;

/**
 * A copy within the backend by way of an upload whose parts are copied: for what one request cannot do. Part borders in
 * the backend mean nothing to a sealed object (FORMAT.md §6). Nothing shows before the upload completes, which is where
 * the client's conditions are judged.
 * @param metadata of the destination, as the backend stores it
 */
export async function copyInParts(
  operation: CopyObject,
  source: SourceObject,
  metadata: ObjectMetadata,
  context: OperationContext,
): Promise<StoredCopy> {
  const { store, signal } = context;
  const { ref } = operation;
  const inPlace = replacesItself(operation, context);
  const plan = inPlace ? replacingPlanOf(operation.conditions, context) : writePlanOf(operation.conditions, context);
  mustBeHeldOnComplete(plan, context);
  const conditions = await conditionsToSend(plan, ref, context, source.object);
  const settings = await withTags(operation, source, context);
  const upload = await store.uploads.create(ref, { ...metadata, ...settings }, signal);
  try {
    const parts = await copyParts(upload, source, context);
    await mustStillStand({ ref: source.ref, etag: source.object.stored.etag }, store, signal);
    const completing = store.uploads.complete(upload, { parts, conditions }, signal);
    const stored = await (inPlace ? pinned(completing) : completing);
    return { ...stored, lastModified: await writtenAt(ref, stored, context) };
  } catch (error) {
    // The client's signal may be what ended the copy; the abort must go out all the same.
    await store.uploads.abort(upload, new AbortController().signal).catch(() => undefined);
    throw error;
  }
}

/** The settings of a write that stands for a copy: an upload and a put know no "tags as they are". */
export async function withTags(
  { tags, vendor, traits }: CopyObject,
  source: SourceObject,
  context: OperationContext,
): Promise<ObjectSettings> {
  if (tags === 'replace') return { vendor, traits };
  return { vendor, traits: { ...traits, tags: await sourceTags(source.ref, context) } };
}

async function copyParts(
  upload: ProvenUpload,
  source: SourceObject,
  { store, signal }: OperationContext,
): Promise<readonly CompletedPart[]> {
  const { etag, storedBytes } = source.object.stored;
  const ranges = partRanges(storedBytes, store.limits);
  const parts: CompletedPart[] = [];
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < ranges.length; at = next++) {
      const range = ranges.length === 1 ? undefined : ranges[at];
      const part = { partNumber: at + 1, source: { ref: source.ref, etag }, range };
      parts[at] = await pinned(store.uploads.copyPart(upload, part, either));
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(PARTS_AT_ONCE, ranges.length) }, worker));
    return parts;
  } catch (error) {
    failed.abort();
    throw error;
  }
}

/** Inclusive ranges of stored bytes that make up the whole, each but the last of one size. */
export function partRanges(
  storedBytes: number,
  { copyPartBytes, lastPartNumber }: Pick<BackendLimits, 'copyPartBytes' | 'lastPartNumber'>,
): ByteRange[] {
  const partBytes = Math.max(copyPartBytes, Math.ceil(storedBytes / lastPartNumber));
  const ranges: ByteRange[] = [];
  for (let first = 0; first < storedBytes; first += partBytes) {
    ranges.push({ first, last: Math.min(first + partBytes, storedBytes) - 1 });
  }
  return ranges;
}
