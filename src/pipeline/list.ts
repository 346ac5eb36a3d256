import type { StoredEntry } from '../dialects/dialect.ts';
import { plaintextBytesOf } from '../envelope/sizes.ts';
import type { ListedObject, ObjectListing, VersionListing } from '../operations/answer.ts';
import type { ListObjects, ListObjectVersions } from '../operations/operation.ts';
import { clientEtag } from './etag.ts';
import { envelopeText } from './sealing.ts';
import type { OperationContext } from './services.ts';

/** How many HEADs a listing of a mixed bucket has under way at once. */
const MIXED_CONCURRENCY = 16;

/** ListObjects: the backend's listing with plaintext sizes by arithmetic (FORMAT.md §5) and the client's ETags. */
export async function listObjects(operation: ListObjects, context: OperationContext): Promise<ObjectListing> {
  const listing = await context.services.store.list(operation, context.signal);
  const sizes = await plaintextSizes(operation.bucket, listing.entries, context);
  return {
    kind: 'ObjectListing',
    asked: operation,
    objects: listing.entries.map((entry, at) => listed(entry, sizes[at] as number)),
    commonPrefixes: listing.commonPrefixes,
    truncated: listing.truncated,
    nextMarker: listing.nextMarker ?? (listing.truncated ? lastName(listing) : undefined),
    nextContinuationToken: listing.nextContinuationToken,
  };
}

export async function listVersions(operation: ListObjectVersions, context: OperationContext): Promise<VersionListing> {
  const listing = await context.services.store.listVersions(operation, context.signal);
  const sizes = await plaintextSizes(operation.bucket, listing.entries, context);
  return {
    kind: 'VersionListing',
    asked: operation,
    entries: listing.entries.map((entry, at) => {
      const { key, versionId, latest, lastModified, owner } = entry;
      if (entry.deleteMarker) return { deleteMarker: true, key, versionId, latest, lastModified, owner };
      return { deleteMarker: false, ...listed(entry, sizes[at] as number), versionId, latest };
    }),
    commonPrefixes: listing.commonPrefixes,
    truncated: listing.truncated,
    nextKeyMarker: listing.nextKeyMarker,
    nextVersionIdMarker: listing.nextVersionIdMarker,
  };
}

function listed(entry: StoredEntry, plaintextBytes: number): ListedObject {
  const { key, lastModified, storageClass, owner } = entry;
  return { key, plaintextBytes, etag: clientEtag(entry.etag), lastModified, storageClass, owner };
}

/** The last name of a truncated page, for stores that give NextMarker only with a delimiter. */
function lastName(listing: {
  readonly entries: readonly StoredEntry[];
  readonly commonPrefixes: readonly string[];
}): string | undefined {
  const key = listing.entries.at(-1)?.key;
  const prefix = listing.commonPrefixes.at(-1);
  if (key === undefined || prefix === undefined) return key ?? prefix;
  return Buffer.compare(Buffer.from(key), Buffer.from(prefix)) > 0 ? key : prefix;
}

type SizedEntry = StoredEntry & { readonly versionId?: string; readonly deleteMarker?: boolean };

/** In the entries' order. A size that is no E(n) belongs to an object that cannot be opened: it is shown as stored. */
async function plaintextSizes(
  bucket: string,
  entries: readonly SizedEntry[],
  context: OperationContext,
): Promise<readonly number[]> {
  const { policy } = context;
  if (policy.protection === 'none') return entries.map((entry) => entry.storedBytes);
  const bySize = (entry: StoredEntry): number =>
    plaintextBytesOf(entry.storedBytes, policy.quantum) ?? entry.storedBytes;
  if (!policy.mixed) return entries.map(bySize);
  const sizes = entries.map((entry) => entry.storedBytes);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < entries.length; at = next++) {
      const entry = entries[at] as SizedEntry;
      if (entry.deleteMarker !== true) sizes[at] = await mixedSize(bucket, entry, bySize, context);
    }
  };
  await Promise.all(Array.from({ length: Math.min(MIXED_CONCURRENCY, entries.length) }, worker));
  return sizes;
}

async function mixedSize(
  bucket: string,
  entry: SizedEntry,
  bySize: (entry: StoredEntry) => number,
  context: OperationContext,
): Promise<number> {
  const { plainSizes, store } = context.services;
  if (bySize(entry) === entry.storedBytes) return entry.storedBytes;
  const known = plainSizes.get(bucket, entry.key, entry.etag, entry.storedBytes);
  if (known !== undefined) return known;
  const ref = { bucket, key: entry.key, versionId: entry.versionId };
  const stored = await store.head({ ref, conditions: {} }, context.signal).catch(() => undefined);
  if (stored === undefined) return entry.storedBytes;
  const sealed = envelopeText(stored.metadata) !== undefined;
  const size = sealed ? bySize(entry) : entry.storedBytes;
  if (stored.etag === entry.etag) plainSizes.set(bucket, entry.key, entry.etag, entry.storedBytes, size);
  return size;
}
