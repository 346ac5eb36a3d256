import type { z } from 'zod';
import type { RootKeyProvider } from './provider.ts';
import type { RootKeyOptions } from './root-key.ts';

/** Settings by name, as a section of the configuration has them. */
export type SettingShape = Readonly<Record<string, z.core.$ZodType>>;

/** A kind of provider. */
export interface RootKeyRow<Settings extends SettingShape, Place> {
  /**
   * What the row has in `keys.root`: the setting, or the section, of the row's own name, by which this provider is chosen,
   * and others that mean nothing to other providers.
   */
  readonly settings: Settings;
  /** What was read of `keys.root`; undefined where another provider was chosen. */
  place(root: { readonly [Name in keyof Settings]: z.output<Settings[Name]> }): Place | undefined;
  open(place: Place, options: RootKeyOptions): RootKeyProvider;
}
