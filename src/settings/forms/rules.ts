/** One thing that is wrong with the configuration. No field ever holds a secret's value. */
export interface ConfigProblem {
  /** The dotted name of the setting, or the file or variable if the problem is with that. */
  readonly setting: string;
  readonly problem: string;
  readonly expected?: string | undefined;
  readonly hint?: string | undefined;
}

/** The settings as they were given, before any form has read them. */
export interface GivenSettings {
  /** Whether the setting of this dotted name was given, even if its value is wrong. */
  isGiven(name: string): boolean;
  /** Returns its raw value. */
  value(name: string): unknown;
}

/**
 * Finds problems that no single setting shows: alternatives, settings that belong together, settings that exclude one
 * another.
 */
export type SettingRule = (given: GivenSettings) => readonly ConfigProblem[];

/** Makes the rule that exactly one of these settings, or sections, must be given. */
export function oneOf(names: readonly string[], hint: string): SettingRule {
  return (given) => {
    const [first, second] = names.filter((name) => given.isGiven(name));
    if (first !== undefined && second === undefined) return [];
    const problem = first === undefined ? 'is missing' : `excludes ${second}`;
    return [{ setting: first ?? (names[0] as string), problem, expected: `one of ${listed(names)}`, hint }];
  };
}

/** Makes the rule that these settings must be given together or not at all. */
export function together(...names: readonly string[]): SettingRule {
  return (given) => {
    const present = names.filter((name) => given.isGiven(name));
    const missing = present.length === 0 ? [] : names.filter((name) => !given.isGiven(name));
    return missing.map((name) => ({ setting: name, problem: 'is missing', hint: `${present[0]} needs it.` }));
  };
}

/** Makes the rule that whoever gives the first setting must give the others too. */
export function needs(name: string, needed: readonly string[]): SettingRule {
  return (given) => {
    const missing = given.isGiven(name) ? needed.filter((each) => !given.isGiven(each)) : [];
    return missing.map((each) => ({ setting: each, problem: 'is missing', hint: `${name} needs it.` }));
  };
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
