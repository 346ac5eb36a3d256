import { z } from 'zod';
import { keySourceSettings } from './sources/table.ts';

/** Where keys for objects come from, beside the key rings of tenants, which need no settings. */
export const encryptionSettings = z.strictObject(keySourceSettings());
