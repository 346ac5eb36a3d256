import { type EnvRootKey, envProvider } from './env.ts';
import { type FileRootKey, fileProvider } from './file.ts';
import type { RootKeyProvider } from './provider.ts';
import type { RootKeyOptions } from './root-key.ts';

/** Where the root key lies. */
export type RootKeyPlace = FileRootKey | EnvRootKey;

/** The providers of root keys, by the names that `keys.root` has for them: exactly one is set. */
export const ROOT_KEYS = { file: fileProvider, env: envProvider } as const;

/** The provider of the root key at a place. */
export function rootKeyProvider(place: RootKeyPlace, options: RootKeyOptions = {}): RootKeyProvider {
  return place.kind === 'file' ? ROOT_KEYS.file(place, options) : ROOT_KEYS.env(place, options);
}
