import type { StoredObject } from '../dialects/store-exchange.ts';
import { GatewayError } from '../errors.ts';
import type { ObjectRef } from '../operations/object.ts';
import { isAbsence, ObjectReplaced } from './pin.ts';
import type { Store } from './store.ts';

/**
 * Reads an object whose head is known. Where that finds the object corrupted, the head is asked for once more: if it
 * tells another object by now, the head and the bytes were of two objects, and nothing is corrupted. Versity S3 Gateway
 * 1.8 reads the head of a file and opens the file afterwards, so that it answers so while an object is overwritten.
 * @throws ObjectReplaced where another object lies there by now, or none; and what `work` throws
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

/** @throws what was found first: who cannot look again has seen a corrupted object */
function undefinedIfAbsent(corrupted: GatewayError): (refusal: unknown) => undefined {
  return (refusal) => {
    if (isAbsence(refusal)) return undefined;
    throw corrupted;
  };
}

/** A store may have put a head together of two objects: then even the ETag may be the one that is there now. */
function isSameHead(one: StoredObject, other: StoredObject): boolean {
  const same = one.etag === other.etag && one.versionId === other.versionId && one.storedBytes === other.storedBytes;
  return same && entriesOf(one) === entriesOf(other);
}

/** In any order: no store promises one. */
function entriesOf({ metadata }: StoredObject): string {
  return JSON.stringify(metadata.user.map((entry) => JSON.stringify(entry)).sort());
}
