import type { StoredEntry } from '../../dialects/store-exchange.ts';
import { GatewayError } from '../../errors.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { forEachOf } from '../../shares/bounded-work.ts';
import type { OperationContext } from '../context.ts';

/** How many HEADs a listing sends at once. */
const LOOKS_AT_ONCE = 16;

/** What is listed. */
export interface Listed {
  readonly bucket: string;
  /** Whether versions are listed. Each entry must then be asked for by its version id. */
  readonly versions: boolean;
}

/** An entry of a listing of objects or of versions. */
export type ListedEntry = StoredEntry & { readonly versionId?: string; readonly deleteMarker?: boolean };

/**
 * The plaintext sizes of listed objects, in the order of the entries. They are computed from the stored sizes
 * (FORMAT.md §5). Only in mixed buckets, where a size may be that of a plain or of a sealed object, a HEAD has to tell
 * which it is. A stored size that no sealed object can have is shown as it is: it belongs to a plain object, or to one
 * that cannot be opened.
 * @throws GatewayError BackendUnavailable and others that are not about one object, in mixed buckets. The listing then
 *   fails, because a client would take a wrong size for a changed object.
 */
export async function plaintextSizes(
  listed: Listed,
  entries: readonly ListedEntry[],
  context: OperationContext,
): Promise<readonly number[]> {
  const { formats, policy } = context;
  const sizes = entries.map(({ storedBytes }) => formats.listedBytes(storedBytes, policy));
  if (!sizes.includes(undefined)) return sizes as number[];
  await forEachOf(entries, LOOKS_AT_ONCE, async (entry, at) => {
    if (sizes[at] !== undefined) return;
    sizes[at] = entry.deleteMarker === true ? entry.storedBytes : await sizeByHead(listed, entry, context);
  });
  return sizes as number[];
}

/**
 * Finds the plaintext size of an entry whose stored size does not tell whether it is sealed: the metadata tell it.
 */
async function sizeByHead(listed: Listed, entry: ListedEntry, context: OperationContext): Promise<number> {
  const { formats, store } = context;
  const { key, etag, storedBytes } = entry;
  const { bucket } = listed;
  const known = formats.knownSizes.get(bucket, key, etag, storedBytes);
  if (known !== undefined) return known;
  try {
    const ref = refOf(listed, entry);
    const stored = await store.head({ ref, conditions: {} }, context.signal);
    // The size is computed from the listed stored size, because another object may be there by now.
    const size = formats.claimedBytes({ ...stored, storedBytes });
    if (stored.etag === etag) formats.knownSizes.set(bucket, key, etag, storedBytes, size);
    return size;
  } catch (error) {
    if (concernsOneObjectOnly(error)) return storedBytes;
    throw error;
  }
}

/** The place of an entry. The version id is left out of a listing of objects: to name one takes a right of its own. */
export function refOf({ bucket, versions }: Listed, { key, versionId }: ListedEntry): ObjectRef {
  return versions ? { bucket, key, versionId } : { bucket, key };
}

/** Whether an error is about one object, which was deleted since or may not be read by the gateway. */
function concernsOneObjectOnly(error: unknown): boolean {
  return (
    error instanceof GatewayError &&
    !['BackendUnavailable', 'BackendError', 'SlowDown', 'InternalError', 'RequestTimeout'].includes(error.code)
  );
}
