import type { SettingRule } from '../../settings/forms/rules.ts';
import { type AnyPlaceRow, chosenPlace, type PlaceOf, rowOf, type SettingShape, sectionOf } from '../place-table.ts';
import { fileRow } from './file-row.ts';
import type { RecordStore } from './record-store.ts';
import { redisRow } from './redis-row.ts';
import type { KeyStoreFacts, KeyStoreOptions } from './row.ts';

/** The key stores, by their names in `keys.store`, of which exactly one is set. */
export const KEY_STORES = { redis: redisRow, file: fileRow };

/** Which key store, and how to reach it; its `kind` is the name of a row. */
export type KeyStorePlace = PlaceOf<typeof KEY_STORES>;

/** Rows of any settings and place (KeyStoreRow). */
export type KeyStoreTable = Readonly<Record<string, AnyPlaceRow & KeyStoreFacts<never>>>;

/** Returns the section `keys.store`: first the settings that choose a store, then the stores' other settings. */
export function keyStoreSettings(table: KeyStoreTable = KEY_STORES): SettingShape {
  return sectionOf(table);
}

/** Returns the rules between settings that the rows bring. */
export function keyStoreRules(table: KeyStoreTable = KEY_STORES): readonly SettingRule[] {
  return Object.values(table).flatMap(({ rules = [] }) => rules);
}

/** Returns which key store the section `keys.store` names, as it was read; undefined if none was chosen. */
export function keyStorePlace(
  store: Readonly<Record<string, unknown>>,
  table: KeyStoreTable = KEY_STORES,
): KeyStorePlace | undefined {
  return chosenPlace(store, table) as KeyStorePlace | undefined;
}

/** Returns the row of a place. */
export function keyStoreRow(
  { kind }: Pick<KeyStorePlace, 'kind'>,
  table: KeyStoreTable = KEY_STORES,
): KeyStoreFacts<KeyStorePlace> {
  return rowOf(table, kind, 'key store') as KeyStoreFacts<KeyStorePlace>;
}

/**
 * Opens the key store.
 * @throws GatewayError KeyStoreUnavailable if it cannot be reached, Error if the settings are contradictory
 */
export async function openRecordStore(
  place: KeyStorePlace,
  options: KeyStoreOptions = {},
  table: KeyStoreTable = KEY_STORES,
): Promise<RecordStore> {
  return keyStoreRow(place, table).open(place, options);
}
