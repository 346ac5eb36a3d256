import type { StoredObject } from '../../dialects/store-exchange.ts';
import { CARRIED_ENTRY } from '../../envelope/carried-metadata.ts';
import { beginsAsPart, PART_MAGIC_BYTES } from '../../envelope/part-header.ts';
import { isSealedSize } from '../../envelope/sizes.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { ObjectReplaced, pinned } from '../../store/pin.ts';
import type { FoundObject } from '../format.ts';
import type { FormatDesk } from '../format-desk.ts';
import { peekedContent } from '../peeked-content.ts';
import type { PlainSizeCache } from '../plain-sizes.ts';

/**
 * Where a bucket's policy lets plain objects be (mixed), a sealed one whose metadata was lost looks like one of them, and
 * a client would get ciphertext with 200. Such an object begins as a sealed one does and has the length of one: it is
 * refused and counted, and `sealgate open --recover` reads it. The first bytes are at hand where an object is read from
 * its start; else they cost a small request, the first time.
 * @throws ObjectReplaced, and what a GET throws
 */
export async function hasLostItsEnvelope(
  { ref, stored, content }: FoundObject,
  desk: FormatDesk,
  plainSizes: PlainSizeCache,
): Promise<boolean> {
  if (stored.metadata.user.some(([name]) => name === CARRIED_ENTRY)) return true;
  if (!isSealedSize(stored.storedBytes)) return false;
  const known = [ref.bucket, ref.key, stored.etag, stored.storedBytes] as const;
  if (content === undefined && plainSizes.isPlain(...known)) return false;
  const first = content === undefined ? await firstBytes(ref, stored, desk) : await content.peek(PART_MAGIC_BYTES);
  if (beginsAsPart(first)) return true;
  plainSizes.setPlain(...known);
  return false;
}

async function firstBytes(
  ref: ObjectRef,
  { etag, versionId }: StoredObject,
  { store, signal }: FormatDesk,
): Promise<Buffer> {
  const get = {
    ref: { ...ref, versionId: ref.versionId ?? versionId },
    range: { first: 0, last: PART_MAGIC_BYTES - 1 },
    conditions: { ifMatch: `"${etag}"` },
  };
  const content = peekedContent(await pinned(store.getAside(get, signal)));
  try {
    if (content.object.etag !== etag || (content.object.storedRange?.first ?? 0) !== 0) throw new ObjectReplaced();
    return await content.peek(PART_MAGIC_BYTES);
  } finally {
    content.discard();
  }
}
