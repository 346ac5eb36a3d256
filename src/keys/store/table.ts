import { type FileStoreConfig, openFileStore } from './file-store.ts';
import type { RecordStore } from './record-store.ts';
import type { RedisStoreConfig } from './redis-address.ts';
import { openRedisStore, type RedisStoreOptions } from './redis-store.ts';

/** Which key store, and how to reach it. A new kind is one file and one row below. */
export type KeyStoreConfig = FileStoreConfig | RedisStoreConfig;

type Openers = {
  readonly [Kind in KeyStoreConfig['kind']]: (
    config: Extract<KeyStoreConfig, { kind: Kind }>,
    options: RedisStoreOptions,
  ) => Promise<RecordStore>;
};

const OPENERS: Openers = {
  file: openFileStore,
  redis: openRedisStore,
};

/**
 * Opens the key store.
 * @throws GatewayError KeyStoreUnavailable if it cannot be reached, Error if the settings are contradictory
 */
export async function openRecordStore(config: KeyStoreConfig, options: RedisStoreOptions = {}): Promise<RecordStore> {
  return config.kind === 'file' ? OPENERS.file(config, options) : OPENERS.redis(config, options);
}
