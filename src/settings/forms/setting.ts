import { z } from 'zod';

/**
 * How a setting's text is treated before its form reads it (src/settings/source.ts). A `path` is resolved against the
 * configuration's folder; a `pem` file is read; a `secret` may be `file:PATH`; a `variable` names an environment
 * variable, whose content is read (VariableContent).
 */
export type SettingKind = 'plain' | 'path' | 'pem' | 'secret' | 'variable';

/** What the table shows about a setting; it is attached to the setting's schema. */
export interface SettingFacts {
  readonly about: string;
  readonly expected: string;
  readonly kind: SettingKind;
  /** The default that the table shows if it is not a plain value. */
  readonly defaultText?: string | undefined;
  /** Whether it is a list, so that an environment variable is split at commas. */
  readonly list: boolean;
}

/**
 * The form of a value. `read` takes what YAML or an environment variable gave, and returns undefined if it does not
 * fit.
 */
export interface Form<T> {
  readonly expected: string;
  readonly read: (value: unknown) => T | undefined;
  readonly kind?: SettingKind;
  readonly list?: boolean;
}

/**
 * Makes one setting of the schema from a form and a description. Wrap it in prefault() or optional() for absent values.
 */
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
