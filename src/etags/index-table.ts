import type { KeyStoreConfig } from '../keys/store/table.ts';
import type { EtagIndex } from './etag-index.ts';
import { openFileIndex } from './file-index.ts';
import { openRedisIndex } from './redis-index.ts';

/** Where the key store is, the index of ETags is too: in the same Redis, or in a file beside the file. */
export async function openEtagIndex(keyStore: KeyStoreConfig, keepSeconds: number): Promise<EtagIndex> {
  return keyStore.kind === 'file' ? openFileIndex(`${keyStore.path}.etags`) : openRedisIndex(keyStore, keepSeconds);
}
