import { envRow } from './env.ts';
import { fileRow } from './file.ts';
import type { RootKeyProvider } from './provider.ts';
import type { RootKeyOptions } from './root-key.ts';
import type { SettingShape } from './row.ts';

/** The providers of root keys, by the names that `keys.root` has for them: exactly one is set. */
export const ROOT_KEYS = { file: fileRow, env: envRow };

/** Where the root key lies; its `kind` is the name of a row. */
export type RootKeyPlace = {
  [Kind in keyof typeof ROOT_KEYS]: NonNullable<ReturnType<(typeof ROOT_KEYS)[Kind]['place']>>;
}[keyof typeof ROOT_KEYS];

/** RootKeyRow of any settings and place: each row is given only what it has read itself. */
interface AnyRow {
  readonly settings: SettingShape;
  place(root: never): { readonly kind: string } | undefined;
  open(place: never, options: RootKeyOptions): RootKeyProvider;
}

export type RootKeyTable = Readonly<Record<string, AnyRow>>;

/** The section `keys.root`: what chooses a provider first, then what providers have beside. */
export function rootKeySettings(table: RootKeyTable = ROOT_KEYS): SettingShape {
  const rows = Object.entries(table);
  const choosing = rows.map(([name, { settings }]) => [name, settings[name]] as const);
  const further = rows.flatMap(([, { settings }]) => Object.entries(settings));
  return Object.fromEntries([...choosing, ...further]) as SettingShape;
}

/** Where the root key lies, as the section `keys.root` was read; undefined where no provider was chosen. */
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

/** The provider of the root key at a place. */
export function rootKeyProvider(
  place: RootKeyPlace,
  options: RootKeyOptions = {},
  table: RootKeyTable = ROOT_KEYS,
): RootKeyProvider {
  const row = table[place.kind];
  if (row === undefined) throw new RangeError(`There is no root key provider ${place.kind}.`);
  return row.open(place as never, options);
}
