import { z } from 'zod';

/**
 * How a setting's text is treated before its form reads it (src/settings/source.ts): a path is taken from the
 * configuration's folder, a PEM file is read, a secret may be
 * `file:PATH`, and an environment variable is read (VariableContent).
 */
export type SettingKind = 'plain' | 'path' | 'pem' | 'secret' | 'variable';

/** What the table says of a setting; attached to its schema. */
export interface SettingFacts {
  readonly about: string;
  readonly expected: string;
  readonly kind: SettingKind;
  /** Shown in the table where the default is not a plain value. */
  readonly defaultText?: string | undefined;
  /** A list, so that an environment variable is split at commas. */
  readonly list: boolean;
}

/** A value form: reads what YAML or an environment variable gave; undefined when it is no such value. */
export interface Form<T> {
  readonly expected: string;
  readonly read: (value: unknown) => T | undefined;
  readonly kind?: SettingKind;
  readonly list?: boolean;
}

/** One setting of the schema: a form and what it means. Absent values are the wrapper's business (prefault, optional). */
export function setting<T>(form: Form<T>, about: string, shown: { readonly defaultText?: string } = {}) {
  const facts: SettingFacts = {
    about,
    expected: form.expected,
    kind: form.kind ?? 'plain',
    defaultText: shown.defaultText,
    list: form.list ?? false,
  };
  return z
    .unknown()
    .transform((value, context): T => {
      const read = form.read(value);
      if (read !== undefined) return read;
      context.issues.push({ code: 'custom', message: form.expected, input: value });
      return z.NEVER;
    })
    .meta({ facts });
}
