import { rowOf } from '../keys/place-table.ts';
import type { KeyStorePlace } from '../keys/store/table.ts';
import { openFileStates } from './file-states.ts';
import { openRedisStates } from './redis-states.ts';
import type { UploadStates } from './upload-states.ts';

/** How states of uploads are kept where a key store of some kind is: a row for each of keys/store/table.ts. */
type StatesTable = {
  readonly [Kind in KeyStorePlace['kind']]: (
    keyStore: Extract<KeyStorePlace, { readonly kind: Kind }>,
    now: () => Date,
  ) => Promise<UploadStates>;
};

const UPLOAD_STATES: StatesTable = {
  redis: openRedisStates,
  file: async ({ path }, now) => openFileStates({ directory: `${path}.uploads`, now }),
};

/**
 * Opens the states of uploads. They are kept where the key store is: in the same Redis, or in a folder beside its file.
 */
export async function openUploadStates(keyStore: KeyStorePlace, now: () => Date): Promise<UploadStates> {
  return rowOf(UPLOAD_STATES, keyStore.kind, 'place for states of uploads beside a key store')(keyStore as never, now);
}
