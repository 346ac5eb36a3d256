import type { ObjectRef } from '../../operations/object.ts';
import { ObjectReplaced, pinned } from '../pin.ts';
import type { Store } from '../store.ts';

/**
 * Checks that the source of a copy is still the object to which the copy was pinned. Ceph RGW 16 ignores
 * x-amz-copy-source-if-match and copies whatever is there by then. Another object's bytes would then lie under the
 * envelope of this one, and nobody could read them.
 * @throws ObjectReplaced
 */
export async function mustStillStand(
  { ref, etag }: { readonly ref: ObjectRef; readonly etag: string },
  store: Pick<Store, 'head'>,
  signal: AbortSignal,
): Promise<void> {
  const now = await pinned(store.head({ ref, conditions: {} }, signal));
  if (now.etag !== etag) throw new ObjectReplaced();
}
