import type { StoredObject } from '../dialects/store-exchange.ts';
import { GatewayError } from '../errors.ts';
import type { ObjectRef } from '../operations/object.ts';
import { isAbsence, ObjectReplaced } from './pin.ts';
import type { Store } from './store.ts';

/**
 * Reads an object whose head is known. If it turns out to be corrupted, the head is asked for once more: if it is of
 * another object by now, head and bytes were of two objects, and nothing is corrupted. That happens with Versity S3
 * Gateway 1.8 while an object is overwritten, because it reads a file's head and opens the file afterwards.
 * @throws ObjectReplaced if the object was replaced or deleted meanwhile; and what `work` throws
 */
export async function ofOneObject<T>(
  { ref, stored }: { readonly ref: ObjectRef; readonly stored: StoredObject },
  { store, signal }: { readonly store: Store; readonly signal: AbortSignal },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'ObjectCorrupted') throw error;
    const now = await store.head({ ref, conditions: {} }, signal).catch(undefinedIfAbsent(error));
    if (now !== undefined && isSameHead(now, stored)) throw error;
    throw new ObjectReplaced({ cause: error });
  }
}

/**
 * Returns undefined if the object is gone.
 * @throws `corrupted` if the second look failed, because then the first error is all that is known
 */
function undefinedIfAbsent(corrupted: GatewayError): (refusal: unknown) => undefined {
  return (refusal) => {
    if (isAbsence(refusal)) return undefined;
    throw corrupted;
  };
}

/**
 * Whether both heads are of one object. The ETag alone does not tell, because a store may have made a head of two
 * objects.
 */
function isSameHead(one: StoredObject, other: StoredObject): boolean {
  const same = one.etag === other.etag && one.versionId === other.versionId && one.storedBytes === other.storedBytes;
  return same && entriesOf(one) === entriesOf(other);
}

/** Renders the metadata entries in a fixed order, because no store promises one. */
function entriesOf({ metadata }: StoredObject): string {
  return JSON.stringify(metadata.user.map((entry) => JSON.stringify(entry)).sort());
}
