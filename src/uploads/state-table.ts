import type { KeyStoreConfig } from '../keys/store/table.ts';
import { openFileStates } from './file-states.ts';
import { openRedisStates } from './redis-states.ts';
import type { UploadStates } from './upload-states.ts';

/** Where the key store is, the state of uploads is too: in the same Redis, or in a folder beside the file. */
export async function openUploadStates(keyStore: KeyStoreConfig, now: () => Date): Promise<UploadStates> {
  return keyStore.kind === 'file'
    ? openFileStates({ directory: `${keyStore.path}.uploads`, now })
    : openRedisStates(keyStore, now);
}
