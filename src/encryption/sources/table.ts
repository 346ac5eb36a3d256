import type { SettingShape } from '../../keys/place-table.ts';
import type { EncryptionForm } from '../../operations/encryption.ts';
import { customerKeyRow } from './customer-key.ts';
import { namedKeyRow } from './named-key.ts';
import type { KeySourceParts, OpenKeySources } from './row.ts';
import { tenantRingRow } from './tenant-ring.ts';

/** A KeySourceRow with any settings. `never` is safe as their type, because each row is given only its own settings. */
interface AnyRow {
  readonly settings: SettingShape;
  open(parts: KeySourceParts, section: never): OpenKeySources | undefined;
}

/**
 * For each form in which encryption may be asked for, where its keys come from. A request for a form without a row is
 * refused by `encryption/rules.ts`.
 */
export type KeySourceTable = { readonly [Form in EncryptionForm]?: AnyRow };

/** The key sources of the product. */
export const KEY_SOURCES: KeySourceTable = { managed: tenantRingRow, kms: namedKeyRow, customer: customerKeyRow };

/** Returns the section `encryption`: the settings of all rows. */
export function keySourceSettings(table: KeySourceTable = KEY_SOURCES): SettingShape {
  return Object.assign({}, ...Object.values(table).map(({ settings }) => settings));
}
