import type { PlaceRow, SettingShape } from '../place-table.ts';
import type { RootKeyProvider } from './provider.ts';
import type { RootKeyOptions } from './root-key.ts';

/** One kind of provider, with its settings in `keys.root`. */
export interface RootKeyRow<Settings extends SettingShape, Place> extends PlaceRow<Settings, Place> {
  open(place: Place, options: RootKeyOptions): RootKeyProvider;
}
