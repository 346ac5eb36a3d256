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
import { lastModifiedAfterWrite } from '../write/write-answer.ts';
import { replacesItself } from './copy-in-place.ts';
import { type StoredSource, sourceTags } from './copy-source.ts';

/** How many parts of one copy the store is asked to copy at a time. More would crowd out other requests. */
const PARTS_AT_ONCE = 4;

/**
 * Copies an object within the backend by a multipart upload whose parts are copied (UploadPartCopy), where one
 * CopyObject cannot do it. Where the backend's parts begin means nothing to a sealed object (FORMAT.md §6). The copy
 * appears when the upload completes, and that is also when the client's conditions are judged.
 * @param metadata the destination's metadata, as the backend stores them
 * @throws ObjectReplaced where the source is replaced meanwhile; GatewayError NotImplemented for conditions that the
 *   store would ignore, PreconditionFailed, and what the requests to the store throw
 */
export async function copyInParts(
  operation: CopyObject,
  source: StoredSource,
  metadata: ObjectMetadata,
  context: OperationContext,
): Promise<StoredCopy> {
  const { store, signal } = context;
  const { ref } = operation;
  const inPlace = replacesItself(operation, context);
  const plan = inPlace ? replacingPlanOf(operation.conditions, context) : writePlanOf(operation.conditions, context);
  mustBeHeldOnComplete(plan, context);
  const identified = 'format' in source.object ? source.object : undefined;
  const conditions = await conditionsToSend(plan, ref, context, identified);
  const settings = await withTags(operation, source, context);
  const upload = await store.uploads.create(ref, { ...metadata, ...settings }, signal);
  try {
    const parts = await copyParts(upload, source, context);
    await mustStillStand({ ref: source.ref, etag: source.object.stored.etag }, store, signal);
    const completing = store.uploads.complete(upload, { parts, conditions }, signal);
    const stored = await (inPlace ? pinned(completing) : completing);
    return { ...stored, lastModified: await lastModifiedAfterWrite(ref, stored, context) };
  } catch (error) {
    // The abort has a signal of its own, because the client's may be what ended the copy.
    await store.uploads.abort(upload, new AbortController().signal).catch(() => undefined);
    throw error;
  }
}

/**
 * The settings of a PUT or an upload by which the gateway makes a copy. Unlike CopyObject, those cannot say "keep the
 * source's tags", so the tags are read from the source.
 */
export async function withTags(
  { tags, vendor, traits }: CopyObject,
  source: StoredSource,
  context: OperationContext,
): Promise<ObjectSettings> {
  if (tags === 'replace') return { vendor, traits };
  return { vendor, traits: { ...traits, tags: await sourceTags(source.ref, context) } };
}

async function copyParts(
  upload: ProvenUpload,
  source: StoredSource,
  { store, signal }: OperationContext,
): Promise<readonly CompletedPart[]> {
  const { etag, storedBytes } = source.object.stored;
  const encryption = await source.object.storeKey?.();
  const ranges = partRanges(storedBytes, store.limits);
  const parts: CompletedPart[] = [];
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < ranges.length; at = next++) {
      const range = ranges.length === 1 ? undefined : ranges[at];
      const part = { partNumber: at + 1, source: { ref: source.ref, etag, encryption }, range };
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

/**
 * Cuts an object into ranges of stored bytes. All but the last have the same size, and there are not too many parts.
 */
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
