import { rowOf } from '../keys/place-table.ts';
import type { KeyStorePlace } from '../keys/store/table.ts';
import type { EtagIndex } from './etag-index.ts';
import { openFileIndex } from './file-index.ts';
import { openRedisIndex } from './redis-index.ts';

/** How the index of ETags is kept where a key store of some kind is: a row for each of keys/store/table.ts. */
type IndexTable = {
  readonly [Kind in KeyStorePlace['kind']]: (
    keyStore: Extract<KeyStorePlace, { readonly kind: Kind }>,
    keepSeconds: number,
  ) => Promise<EtagIndex>;
};

const ETAG_INDEXES: IndexTable = {
  redis: openRedisIndex,
  file: async ({ path }) => openFileIndex(`${path}.etags`),
};

/**
 * Opens the index of ETags. It is kept where the key store is: in the same Redis, or in a file beside the key store's
 * file.
 * @param keepSeconds how long Redis keeps an entry after its last write
 */
export async function openEtagIndex(keyStore: KeyStorePlace, keepSeconds: number): Promise<EtagIndex> {
  return rowOf(ETAG_INDEXES, keyStore.kind, 'index of ETags beside a key store')(keyStore as never, keepSeconds);
}
