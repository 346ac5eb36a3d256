import type { z } from 'zod';
import type { RootKeyProvider } from './provider.ts';
import type { RootKeyOptions } from './root-key.ts';

/** Settings by name, as a section of the configuration has them. */
export type SettingShape = Readonly<Record<string, z.core.$ZodType>>;

/** One kind of provider. */
export interface RootKeyRow<Settings extends SettingShape, Place> {
  /**
   * The row's settings in `keys.root`: the setting or section of the row's own name, which chooses this provider, and
   * others that mean nothing to other providers.
   */
  readonly settings: Settings;
  /** Returns what was read of `keys.root`; undefined if another provider was chosen. */
  place(root: { readonly [Name in keyof Settings]: z.output<Settings[Name]> }): Place | undefined;
  open(place: Place, options: RootKeyOptions): RootKeyProvider;
}
