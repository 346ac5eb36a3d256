import type { StoredObject } from '../../dialects/store-exchange.ts';
import { CARRIED_ENTRY } from '../../envelope/carried-metadata.ts';
import { CONTEXT_ENTRY } from '../../envelope/encryption-context.ts';
import { LOCATION_ENTRY } from '../../envelope/location-claim.ts';
import { beginsAsPart, PART_MAGIC_BYTES } from '../../envelope/part-header.ts';
import { isSealedSize } from '../../envelope/sizes.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { ObjectReplaced, pinned } from '../../store/pin.ts';
import type { FoundObject } from '../format.ts';
import type { FormatDesk } from '../format-desk.ts';
import { peekedContent } from '../peeked-content.ts';
import type { PlainSizeCache } from '../plain-sizes.ts';

/** The entries that only sealed objects have, beside the envelope. */
const OWN_ENTRIES: ReadonlySet<string> = new Set([CARRIED_ENTRY, CONTEXT_ENTRY, LOCATION_ENTRY]);

/**
 * Whether an object without an envelope is a sealed one that lost it. In a bucket that also holds plain objects
 * (mixed), such an object would pass for a plain one, and clients would get ciphertext. It is recognised by its size
 * and by its first bytes, which are those of a sealed object, or by an entry that only sealed objects have. The first
 * bytes are looked at among those that are arriving; otherwise they cost a small request, once for each object.
 * `sealgate open --recover` reads such objects.
 * @throws ObjectReplaced, and what a GET throws
 */
export async function hasLostItsEnvelope(
  { ref, stored, content }: FoundObject,
  desk: FormatDesk,
  plainSizes: PlainSizeCache,
): Promise<boolean> {
  if (stored.metadata.user.some(([name]) => OWN_ENTRIES.has(name))) return true;
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
