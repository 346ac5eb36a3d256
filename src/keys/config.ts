import type { z } from 'zod';
import { type RootKeyPlace, rootKeyPlace } from './root/table.ts';
import type { keySettings } from './settings.ts';
import { type KeyStorePlace, keyStorePlace } from './store/table.ts';

type KeySettings = z.output<typeof keySettings>;

/** The settings of the section `keys`, checked: which root key, and which key store. */
export interface KeysConfig {
  readonly root: RootKeyPlace;
  /** Set for a sidecar: then `root` is the wrap key of this tenant. */
  readonly tenant: string | undefined;
  readonly store: KeyStorePlace;
  readonly cache: KeySettings['cache'];
  /** The file that keeps the highest generation of the store; undefined if it is kept nowhere. */
  readonly generationFile: string | undefined;
}

/** Completes the section `keys`. Returns undefined if it does not say where root key or key store are. */
export function completeKeys(keys: KeySettings): KeysConfig | undefined {
  const root = rootKeyPlace(keys.root);
  const store = keyStorePlace(keys.store);
  if (root === undefined || store === undefined) return undefined;
  const beside = root.kind === 'file' ? root.path : store.kind === 'file' ? store.path : undefined;
  const given = keys.generationFile ?? (beside === undefined ? 'off' : `${beside}.generation`);
  const generationFile = given === 'off' ? undefined : given;
  return { root, tenant: keys.tenant, store, cache: keys.cache, generationFile };
}
