import { z } from 'zod';
import type { SettingFacts } from './forms/setting.ts';
import { settingsSchema } from './table.ts';

/** One row of the table of settings. */
export interface SettingRow extends SettingFacts {
  /** The dotted name, such as backend.credentials.accessKeyId. */
  readonly name: string;
  /** The environment variable that overrides it. */
  readonly variable: string;
  /** The default as text; undefined if there is none. */
  readonly fallback: string | undefined;
}

/**
 * Returns the environment variable of a setting: SEALGATE_BACKEND_CREDENTIALS_ACCESS_KEY_ID for
 * backend.credentials.accessKeyId.
 */
export function variableOf(name: string): string {
  return `SEALGATE_${name.replaceAll('.', '_').replace(/[A-Z]/g, '_$&').toUpperCase()}`;
}

/** Every setting, in the schema's order. */
export const SETTING_ROWS: readonly SettingRow[] = rowsOf(settingsSchema, []);

/**
 * Returns the names one level below a section ('' for the top), among which the intended name of an unknown key may be.
 */
export function namesWithin(section: string): string[] {
  const prefix = section === '' ? '' : `${section}.`;
  const names = SETTING_ROWS.filter((row) => row.name.startsWith(prefix));
  return [...new Set(names.map((row) => row.name.slice(prefix.length).split('.')[0] as string))];
}

function rowsOf(schema: z.core.$ZodType, at: readonly string[]): SettingRow[] {
  const { core, fallback } = unwrap(schema);
  if (core instanceof z.ZodObject) {
    return Object.entries(core.shape).flatMap(([key, inner]) => rowsOf(inner as z.core.$ZodType, [...at, key]));
  }
  const { facts } = z.globalRegistry.get(core) as { facts: SettingFacts };
  const name = at.join('.');
  return [{ ...facts, name, variable: variableOf(name), fallback: facts.defaultText ?? showDefault(fallback) }];
}

/** Returns the schema inside optional() and prefault(), and the value of prefault(). */
function unwrap(schema: z.core.$ZodType): { core: z.core.$ZodType; fallback: unknown } {
  if (schema instanceof z.ZodPrefault) {
    return { core: unwrap(schema.def.innerType).core, fallback: schema.def.defaultValue };
  }
  return { core: schema instanceof z.ZodOptional ? schema.def.innerType : schema, fallback: undefined };
}

function showDefault(fallback: unknown): string | undefined {
  if (fallback === undefined) return undefined;
  if (!Array.isArray(fallback)) return String(fallback);
  return fallback.length === 0 ? 'none' : fallback.join(', ');
}
