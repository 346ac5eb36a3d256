/** One thing that is wrong with the configuration. No field ever holds a secret's value. */
export interface ConfigProblem {
  /** Dotted name, or the file or variable when the trouble is with that. */
  readonly setting: string;
  readonly problem: string;
  readonly expected?: string | undefined;
  readonly hint?: string | undefined;
}

/** The settings as they were given, before any form read them. */
export interface GivenSettings {
  /** Whether somebody gave the setting of this dotted name, be it any good or not. */
  isGiven(name: string): boolean;
  /** Its raw value. */
  value(name: string): unknown;
}

/** What no single setting shows: alternatives, companions, things that exclude one another. */
export type SettingRule = (given: GivenSettings) => readonly ConfigProblem[];

/** Exactly one of these settings, or of sections, is given. */
export function oneOf(names: readonly string[], hint: string): SettingRule {
  return (given) => {
    const [first, second] = names.filter((name) => given.isGiven(name));
    if (first !== undefined && second === undefined) return [];
    const problem = first === undefined ? 'is missing' : `excludes ${second}`;
    return [{ setting: first ?? (names[0] as string), problem, expected: `one of ${listed(names)}`, hint }];
  };
}

/** These settings mean something only together. */
export function together(...names: readonly string[]): SettingRule {
  return (given) => {
    const present = names.filter((name) => given.isGiven(name));
    const missing = present.length === 0 ? [] : names.filter((name) => !given.isGiven(name));
    return missing.map((name) => ({ setting: name, problem: 'is missing', hint: `${present[0]} needs it.` }));
  };
}

/** Whoever gives the first setting gives these, too. */
export function needs(name: string, needed: readonly string[]): SettingRule {
  return (given) => {
    const missing = given.isGiven(name) ? needed.filter((each) => !given.isGiven(each)) : [];
    return missing.map((each) => ({ setting: each, problem: 'is missing', hint: `${name} needs it.` }));
  };
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
