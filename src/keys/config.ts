import type { z } from 'zod';
import type { Secret } from '../secret.ts';
import { type RootKeyPlace, rootKeyPlace } from './root/table.ts';
import type { keySettings } from './settings.ts';
import type { RedisStoreConfig } from './store/redis-address.ts';

type KeySettings = z.output<typeof keySettings>;

/** The section `keys`, checked: which root key, and which key store. */
export interface KeysConfig {
  readonly root: RootKeyPlace;
  /** A sidecar's: `root` is this tenant's wrap key. */
  readonly tenant: string | undefined;
  readonly store: KeyStorePlace;
  readonly cache: KeySettings['cache'];
  /** Where the highest generation of the store is kept; undefined: nowhere. */
  readonly generationFile: string | undefined;
}

export type KeyStorePlace = { readonly kind: 'file'; readonly path: string } | RedisPlace;

/** As the key store's opener takes it, but for the URL, which must not be printed. */
export interface RedisPlace extends Omit<RedisStoreConfig, 'url'> {
  readonly url: Secret;
}

/** undefined where root key or key store are not said. */
export function completeKeys(keys: KeySettings): KeysConfig | undefined {
  const root = rootKeyPlace(keys.root);
  const store = placeOfKeyStore(keys.store);
  if (root === undefined || store === undefined) return undefined;
  const beside = root.kind === 'file' ? root.path : store.kind === 'file' ? store.path : undefined;
  const given = keys.generationFile ?? (beside === undefined ? 'off' : `${beside}.generation`);
  const generationFile = given === 'off' ? undefined : given;
  return { root, tenant: keys.tenant, store, cache: keys.cache, generationFile };
}

function placeOfKeyStore(store: KeySettings['store']): KeyStorePlace | undefined {
  const { file, redis, tls, connectSeconds, commandSeconds, ...rest } = store;
  if (file !== undefined) return { kind: 'file', path: file };
  if (redis === undefined) return undefined;
  return {
    ...rest,
    kind: 'redis',
    url: redis,
    connectTimeoutSeconds: connectSeconds,
    commandTimeoutSeconds: commandSeconds,
    // Its presence turns TLS on.
    ...(Object.values(tls).some((value) => value !== undefined) && { tls }),
  };
}
