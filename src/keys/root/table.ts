import { envRow } from './env.ts';
import { fileRow } from './file.ts';
import type { RootKeyProvider } from './provider.ts';
import type { RootKeyOptions } from './root-key.ts';
import type { SettingShape } from './row.ts';

/** The providers of root keys, by their names in `keys.root`, of which exactly one is set. */
export const ROOT_KEYS = { file: fileRow, env: envRow };

/** Where the root key comes from; its `kind` is the name of a row. */
export type RootKeyPlace = {
  [Kind in keyof typeof ROOT_KEYS]: NonNullable<ReturnType<(typeof ROOT_KEYS)[Kind]['place']>>;
}[keyof typeof ROOT_KEYS];

/** A RootKeyRow of any settings and place. Each row is given only what it has read itself, so `never` is safe. */
interface AnyRow {
  readonly settings: SettingShape;
  place(root: never): { readonly kind: string } | undefined;
  open(place: never, options: RootKeyOptions): RootKeyProvider;
}

export type RootKeyTable = Readonly<Record<string, AnyRow>>;

/** Returns the section `keys.root`: first the settings that choose a provider, then the providers' other settings. */
export function rootKeySettings(table: RootKeyTable = ROOT_KEYS): SettingShape {
  const rows = Object.entries(table);
  const choosing = rows.map(([name, { settings }]) => [name, settings[name]] as const);
  const further = rows.flatMap(([, { settings }]) => Object.entries(settings));
  return Object.fromEntries([...choosing, ...further]) as SettingShape;
}

/** Returns where the root key comes from, as the section `keys.root` was read; undefined if no provider was chosen. */
export function rootKeyPlace(
  root: Readonly<Record<string, unknown>>,
  table: RootKeyTable = ROOT_KEYS,
): RootKeyPlace | undefined {
  for (const row of Object.values(table)) {
    const place = row.place(root as never);
    if (place !== undefined) return place as RootKeyPlace;
  }
  return undefined;
}

/** Returns the provider of the root key at a place. */
export function rootKeyProvider(
  place: RootKeyPlace,
  options: RootKeyOptions = {},
  table: RootKeyTable = ROOT_KEYS,
): RootKeyProvider {
  const row = table[place.kind];
  if (row === undefined) throw new RangeError(`There is no root key provider ${place.kind}.`);
  return row.open(place as never, options);
}
