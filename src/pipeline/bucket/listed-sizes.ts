import type { StoredEntry } from '../../dialects/store-exchange.ts';
import { decodeEnvelope, readEnvelopeHead } from '../../envelope/envelope.ts';
import { plaintextBytesOf, type QuantumId } from '../../envelope/sizes.ts';
import { GatewayError } from '../../errors.ts';
import { envelopeText } from '../../formats/sx1/sealing.ts';
import type { ObjectRef } from '../../operations/object.ts';
import { forEachOf } from '../../shares/bounded-work.ts';
import type { OperationContext } from '../context.ts';

/** How many HEADs a listing of a mixed bucket has under way at once. */
const MIXED_CONCURRENCY = 16;

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
  const { protection, mixed, quantum } = context.policy;
  if (protection === 'none') return entries.map((entry) => entry.storedBytes);
  const sizes = entries.map(({ storedBytes }) => plaintextBytesOf(storedBytes, quantum) ?? storedBytes);
  if (!mixed) return sizes;
  await forEachOf(entries, MIXED_CONCURRENCY, async (entry, at) => {
    const isPlain = sizes[at] === entry.storedBytes;
    if (!isPlain && entry.deleteMarker !== true) sizes[at] = await mixedSize(listed, entry, context);
  });
  return sizes;
}

/** Of an entry that has the size of a sealed object: only its metadata tells whether it is one. */
async function mixedSize(listed: Listed, entry: ListedEntry, context: OperationContext): Promise<number> {
  const { plainSizes, store } = context;
  const { key, etag, storedBytes } = entry;
  const { bucket } = listed;
  const known = plainSizes.get(bucket, key, etag, storedBytes);
  if (known !== undefined) return known;
  try {
    const ref = refOf(listed, entry);
    const stored = await store.head({ ref, conditions: {} }, context.signal);
    const text = envelopeText(stored.metadata);
    const size = text === undefined ? storedBytes : (plaintextBytesOf(storedBytes, quantumOf(text)) ?? storedBytes);
    if (stored.etag === etag) plainSizes.set(bucket, key, etag, storedBytes, size);
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

/** The envelope is not opened: sizes of listings are arithmetic, and reading the object checks them. */
function quantumOf(envelope: string): QuantumId {
  return readEnvelopeHead(decodeEnvelope(envelope)).quantum;
}

/** Deleted since, or not to be read by the gateway: one such object must not take the others from the listing. */
function isOfThisObject(error: unknown): boolean {
  return (
    error instanceof GatewayError &&
    !['BackendUnavailable', 'BackendError', 'SlowDown', 'InternalError', 'RequestTimeout'].includes(error.code)
  );
}
