import { z } from 'zod';
import { oneOf, type SettingRule } from '../settings/forms/rules.ts';
import { setting } from '../settings/forms/setting.ts';
import { matching, pathOrOff, seconds } from '../settings/forms/values.ts';
import { ROOT_KEYS, rootKeySettings } from './root/table.ts';
import { KEY_STORES, keyStoreRules, keyStoreSettings } from './store/table.ts';

/** The settings of where keys come from, and where they are kept. */
export const keySettings = z.strictObject({
  root: z.strictObject(rootKeySettings()).prefault({}),
  tenant: setting(
    matching(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'a tenant’s name'),
    'For a sidecar that serves one tenant: keys.root is then not the root key but this tenant’s wrap key, as ' +
      '`sealgate tenant wrap-key` writes it, and nothing else of the key store is read.',
  ).optional(),
  store: z.strictObject(keyStoreSettings()).prefault({}),
  generationFile: setting(
    pathOrOff,
    'File of the gateway’s own that keeps the highest generation of the key store that was seen here: a store that ' +
      'was put back to an older state is then refused at the start. All processes of a machine share it. Must ' +
      'outlive restarts.',
    { defaultText: 'keys.root.file, or keys.store.file, with .generation; else off' },
  ).optional(),
  cache: z
    .strictObject({
      maxAgeSeconds: setting(
        seconds({ min: 0, max: 86_400 }),
        'How long credentials, policies and keys are used from memory without asking the key store.',
      ).prefault(60),
      staleSeconds: setting(
        seconds({ min: 0, max: 86_400 }),
        'While the key store is away: how old a cached entry may grow before requests are refused with 503.',
      ).prefault(300),
    })
    .prefault({}),
});

/** Rules between several settings of `keys`. */
export const KEY_RULES: readonly SettingRule[] = [
  oneOf(
    Object.keys(ROOT_KEYS).map((name) => `keys.root.${name}`),
    'Make a key with: openssl rand -base64 32',
  ),
  oneOf(
    Object.keys(KEY_STORES).map((name) => `keys.store.${name}`),
    'Say where wrapped keys are stored.',
  ),
  ...keyStoreRules(),
];
