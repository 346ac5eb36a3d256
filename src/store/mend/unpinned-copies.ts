import type { ObjectRef } from '../../operations/object.ts';
import { ObjectReplaced, pinned } from '../pin.ts';
import type { Store } from '../store.ts';

/**
 * Looks once more at what a copy was pinned to. Ceph RGW 16 copies whatever stands at the source by then, and not what
 * the copy names by x-amz-copy-source-if-match: another object's bytes would lie under the envelope of this one, and
 * nobody could read them.
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
