import { type AnyPlaceRow, chosenPlace, type PlaceOf, rowOf, type SettingShape, sectionOf } from '../place-table.ts';
import { envRow } from './env.ts';
import { fileRow } from './file.ts';
import type { RootKeyProvider } from './provider.ts';
import type { RootKeyOptions } from './root-key.ts';

/** The providers of root keys, by their names in `keys.root`, of which exactly one is set. */
export const ROOT_KEYS = { file: fileRow, env: envRow };

/** Where the root key comes from; its `kind` is the name of a row. */
export type RootKeyPlace = PlaceOf<typeof ROOT_KEYS>;

/** Rows of any settings and place (RootKeyRow). */
export type RootKeyTable = Readonly<
  Record<string, AnyPlaceRow & { open(place: never, options: RootKeyOptions): RootKeyProvider }>
>;

/** Returns the section `keys.root`: first the settings that choose a provider, then the providers' other settings. */
export function rootKeySettings(table: RootKeyTable = ROOT_KEYS): SettingShape {
  return sectionOf(table);
}

/** Returns where the root key comes from, as the section `keys.root` was read; undefined if no provider was chosen. */
export function rootKeyPlace(
  root: Readonly<Record<string, unknown>>,
  table: RootKeyTable = ROOT_KEYS,
): RootKeyPlace | undefined {
  return chosenPlace(root, table) as RootKeyPlace | undefined;
}

/** Returns the provider of the root key at a place. */
export function rootKeyProvider(
  place: RootKeyPlace,
  options: RootKeyOptions = {},
  table: RootKeyTable = ROOT_KEYS,
): RootKeyProvider {
  return rowOf(table, place.kind, 'root key provider').open(place as never, options);
}
