import { setting } from '../../settings/forms/setting.ts';
import { path } from '../../settings/forms/values.ts';
import { type FileStoreConfig, openFileStore } from './file-store.ts';
import type { KeyStoreRow } from './row.ts';

const settings = {
  file: setting(path, 'Instead of Redis: one file of the embedded key store. One machine only.').optional(),
};

/** `keys.store.file`. */
export const fileRow: KeyStoreRow<typeof settings, FileStoreConfig> = {
  settings,
  rules: [
    (given) => {
      if (!given.isGiven('keys.tenant') || !given.isGiven('keys.store.file')) return [];
      const hint = 'A sidecar reads its tenant’s records from Redis.';
      return [{ setting: 'keys.tenant', problem: 'excludes keys.store.file', expected: 'keys.store.redis', hint }];
    },
  ],
  noSidecars: 'Sidecars read Redis; this key store is a file.',
  place: ({ file }) => (file === undefined ? undefined : { kind: 'file', path: file }),
  describe: (place) => place.path,
  identity: (place) => ['file', place.path],
  open: openFileStore,
};
