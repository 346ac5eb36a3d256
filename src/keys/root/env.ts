import type { Secret } from '../../secret.ts';
import { setting } from '../../settings/forms/setting.ts';
import { keyVariable } from '../../settings/forms/values.ts';
import { heldProvider } from './provider.ts';
import { rootKeyFromText } from './root-key.ts';
import type { RootKeyRow } from './row.ts';

/** The root key in an environment variable: 32 bytes in base64. */
export interface EnvRootKey {
  readonly kind: 'env';
  /** The content of the variable. */
  readonly key: Secret;
  /** How messages name the place that it came from. */
  readonly source: string;
}

const settings = {
  env: setting(
    keyVariable,
    'Instead of a file: name of the environment variable that holds the root key, 32 bytes in base64.',
  ).optional(),
};

/** The row of `keys.root.env`. */
export const envRow: RootKeyRow<typeof settings, EnvRootKey> = {
  settings,
  place: ({ env }) => env && { kind: 'env', ...env },
  open: ({ key, source }, options) => heldProvider(() => rootKeyFromText(key.reveal(), source, options)),
};
