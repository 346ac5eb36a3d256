import { GatewayError } from '../../errors.ts';
import type { ObjectListing, VersionListing } from '../../operations/answer.ts';
import type { ListObjects, ListObjectVersions } from '../../operations/listing.ts';
import { GrowingReservation } from '../../shares/growing-reservation.ts';
import type { OperationContext } from '../context.ts';
import { listedEtags } from './listed-etags.ts';
import { type Listed, type ListedEntry, plaintextSizes } from './listed-sizes.ts';

/**
 * How many bytes of memory are reserved for each byte of the backend's document. The strings of the entries are views
 * of its text, and the entries' other fields take about as much again.
 */
const HELD_A_DOCUMENT_BYTE = 2;

/**
 * Carries out ListObjects, versions 1 and 2. It is the backend's listing, with the sizes of the plaintext, which follow
 * from the stored sizes (FORMAT.md §5), and the ETags that clients see.
 *
 * The backend's document is read to its end before the answer begins, so that a listing that breaks off is an error and
 * never a shorter listing. It is held in memory once, as entries. The front writes its own document from those, as fast
 * as the client takes it.
 * @throws GatewayError SlowDown, BackendError, and what `listedEtags` and `plaintextSizes` throw
 */
export function listObjects(operation: ListObjects, context: OperationContext): Promise<ObjectListing> {
  return reservingMemory(context, async (onBytes, release) => {
    const listing = await context.store.list(operation, context.signal, onBytes);
    const { truncated, commonPrefixes } = listing;
    const next = operation.form === 1 ? listing.nextMarker : listing.nextContinuationToken;
    if (truncated && next === undefined) throw incompleteListing();
    const listed = { bucket: operation.bucket, versions: false };
    const { etags, sizes } = await shownOf(listed, listing.entries, context);
    return {
      kind: 'ObjectListing',
      release,
      asked: operation,
      objects: listing.entries.map(({ key, lastModified, storageClass, owner }, at) => {
        const [plaintextBytes, etag] = [sizes[at] as number, etags[at] as string];
        return { key, plaintextBytes, etag, lastModified, storageClass, owner };
      }),
      commonPrefixes,
      truncated,
      nextMarker: listing.nextMarker,
      nextContinuationToken: listing.nextContinuationToken,
    };
  });
}

/** Carries out ListObjectVersions, in the same way. @throws GatewayError what `listObjects` throws */
export function listVersions(operation: ListObjectVersions, context: OperationContext): Promise<VersionListing> {
  return reservingMemory(context, async (onBytes, release) => {
    const listing = await context.store.listVersions(operation, context.signal, onBytes);
    if (listing.truncated && listing.nextKeyMarker === undefined) throw incompleteListing();
    const listed = { bucket: operation.bucket, versions: true };
    const { etags, sizes } = await shownOf(listed, listing.entries, context);
    return {
      kind: 'VersionListing',
      release,
      asked: operation,
      entries: listing.entries.map((entry, at) => {
        const { deleteMarker, key, versionId, latest, lastModified, storageClass, owner } = entry;
        if (deleteMarker) return { deleteMarker, key, versionId, latest, lastModified, owner };
        const [plaintextBytes, etag] = [sizes[at] as number, etags[at] as string];
        return { deleteMarker, key, versionId, latest, plaintextBytes, etag, lastModified, storageClass, owner };
      }),
      commonPrefixes: listing.commonPrefixes,
      truncated: listing.truncated,
      nextKeyMarker: listing.nextKeyMarker,
      nextVersionIdMarker: listing.nextVersionIdMarker,
    };
  });
}

/**
 * The ETags and the plaintext sizes of listed objects, in the order of the entries. ETags come first, because to look
 * at an object for its ETag tells its size as well.
 */
async function shownOf(
  listed: Listed,
  entries: readonly ListedEntry[],
  context: OperationContext,
): Promise<{ readonly etags: readonly string[]; readonly sizes: readonly number[] }> {
  const etags = await listedEtags(listed, entries, context);
  return { etags, sizes: await plaintextSizes(listed, entries, context) };
}

/** Reserves memory while the backend's document arrives. The answer's `release` gives it back. */
async function reservingMemory<T>(
  { budget }: OperationContext,
  read: (onBytes: (bytes: number) => void, release: () => void) => Promise<T>,
): Promise<T> {
  const held = new GrowingReservation(budget);
  try {
    return await read((bytes) => held.grow(bytes * HELD_A_DOCUMENT_BYTE), held.release);
  } catch (error) {
    held.release();
    throw error;
  }
}

/**
 * Makes the error for a listing that is cut short and does not tell where the next one begins. A client that got it
 * would take it for the end of the bucket.
 */
function incompleteListing(): GatewayError {
  return new GatewayError('BackendError', 'The backend’s listing is not complete, and does not say how to go on.', {
    source: 'backend',
  });
}
