import type { StoredEntry } from '../../dialects/store-exchange.ts';
import { GatewayError } from '../../errors.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { forEachOf } from '../../shares/bounded-work.ts';
import type { OperationContext } from '../context.ts';

/** How many HEADs a listing has under way at once. */
const LOOKS_AT_ONCE = 16;

/** Entries of a bucket: its objects as they stand, or each version, which must be asked for by its id. */
export interface Listed {
  readonly bucket: string;
  readonly versions: boolean;
}

export type ListedEntry = StoredEntry & { readonly versionId?: string; readonly deleteMarker?: boolean };

/**
 * Plaintext sizes in the entries' order: by arithmetic, without a request, but in mixed buckets. A size that is no E(n)
 * belongs to an object that cannot be opened, or to a plain one: it is shown as stored.
 * @throws GatewayError BackendUnavailable and its kin in mixed buckets: a wrong size would look like a changed object
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

/** Of an entry whose size an object of the bucket's format may have: only its metadata tell whether it is one. */
async function sizeByHead(listed: Listed, entry: ListedEntry, context: OperationContext): Promise<number> {
  const { formats, store } = context;
  const { key, etag, storedBytes } = entry;
  const { bucket } = listed;
  const known = formats.knownSizes.get(bucket, key, etag, storedBytes);
  if (known !== undefined) return known;
  try {
    const ref = refOf(listed, entry);
    const stored = await store.head({ ref, conditions: {} }, context.signal);
    // The listing's size: it is what was asked about, should another object lie there by now.
    const size = formats.claimedBytes({ ...stored, storedBytes });
    if (stored.etag === etag) formats.knownSizes.set(bucket, key, etag, storedBytes, size);
    return size;
  } catch (error) {
    if (isOfThisObject(error)) return storedBytes;
    throw error;
  }
}

/** By its version only where versions are listed: to ask for one takes a right of its own. */
export function refOf({ bucket, versions }: Listed, { key, versionId }: ListedEntry): ObjectRef {
  return versions ? { bucket, key, versionId } : { bucket, key };
}

/** Deleted since, or not to be read by the gateway: one such object must not take the others from the listing. */
function isOfThisObject(error: unknown): boolean {
  return (
    error instanceof GatewayError &&
    !['BackendUnavailable', 'BackendError', 'SlowDown', 'InternalError', 'RequestTimeout'].includes(error.code)
  );
}
