import { z } from 'zod';
import { BACKEND_RULES, backendSettings } from '../backend/settings.ts';
import { DIALECT_RULES, dialectSettings, frontSettings } from '../dialects/settings.ts';
import { customerKeySettings, encryptionSettings } from '../encryption/settings.ts';
import { etagSettings } from '../etags/settings.ts';
import { KEY_RULES, keySettings } from '../keys/settings.ts';
import { limitSettings, SERVER_RULES, serverSettings } from '../server/settings.ts';
import { logSettings } from '../telemetry/settings.ts';
import { uploadSettings } from '../uploads/settings.ts';
import type { SettingRule } from './forms/rules.ts';

const { listen, admin, workers, trustedProxies, proxyHeaders, tls } = serverSettings;
const { region, anyRegion, domains, bucketHosts } = frontSettings;

/**
 * The schema of the whole configuration, in the order of docs/configuration.md. Each room brings the settings that it
 * reads, with their forms, defaults and meanings.
 */
export const settingsSchema = z.strictObject({
  listen,
  admin,
  workers,
  region,
  anyRegion,
  domains,
  bucketHosts,
  dialects: dialectSettings.prefault({}),
  trustedProxies,
  proxyHeaders,
  tls,
  backend: backendSettings().prefault({}),
  keys: keySettings.prefault({}),
  encryption: encryptionSettings.prefault({}),
  customerKeys: customerKeySettings.prefault({}),
  uploads: uploadSettings.prefault({}),
  etags: etagSettings.prefault({}),
  limits: limitSettings.prefault({}),
  log: logSettings.prefault({}),
});

/** The rules between several settings. */
export const SETTING_RULES: readonly SettingRule[] = [
  ...BACKEND_RULES,
  ...KEY_RULES,
  ...SERVER_RULES,
  ...DIALECT_RULES,
];

export type Settings = z.output<typeof settingsSchema>;
