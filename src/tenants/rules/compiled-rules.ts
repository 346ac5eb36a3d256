import { patternMatches } from '../bucket-policy.ts';
import type { BucketRule, RuleField } from './rule.ts';
import { literalPrefix, literalSuffix } from './specificity.ts';

/** For each field of which a rule speaks, the rule that wins. */
export type WinningRules = { readonly [Field in RuleField]?: BucketRule };

/** The patterns with one literal prefix, by their literal suffixes. */
interface PrefixGroup {
  readonly suffixLengths: number[];
  readonly bySuffix: Map<string, BucketRule[]>;
}

/**
 * The rules of one tenant, laid out so that those for a bucket are found without looking at the others: names in a map,
 * patterns by their literal prefix and then by their literal suffix. Rules that tie were refused before (ties.ts), so
 * the rules that have one prefix and match one bucket speak of different fields.
 */
export class CompiledRules {
  readonly rules: readonly BucketRule[];
  /** The word for the protection of buckets of which nobody says anything. */
  readonly defaultProtection: string;
  readonly #byName = new Map<string, BucketRule[]>();
  readonly #byPrefix = new Map<string, PrefixGroup>();
  /** The lengths of prefixes, the longest first. */
  readonly #prefixLengths: readonly number[];

  constructor(rules: readonly BucketRule[], defaultProtection: string) {
    this.rules = rules;
    this.defaultProtection = defaultProtection;
    const lengths = new Set<number>();
    for (const rule of rules) {
      const prefix = literalPrefix(rule.bucket);
      if (prefix === undefined) {
        add(this.#byName, rule.bucket, rule);
        continue;
      }
      lengths.add(prefix.length);
      let group = this.#byPrefix.get(prefix);
      if (group === undefined) {
        group = { suffixLengths: [], bySuffix: new Map() };
        this.#byPrefix.set(prefix, group);
      }
      const suffix = literalSuffix(rule.bucket);
      if (!group.suffixLengths.includes(suffix.length)) group.suffixLengths.push(suffix.length);
      add(group.bySuffix, suffix, rule);
    }
    this.#prefixLengths = [...lengths].sort((a, b) => b - a);
  }

  /** For each field, the most specific rule that matches the bucket and speaks of it. */
  winners(bucket: string): WinningRules {
    const winners: { [Field in RuleField]?: BucketRule } = {};
    const take = (rule: BucketRule): void => {
      for (const field of Object.keys(rule.fields) as RuleField[]) winners[field] ??= rule;
    };
    this.#byName.get(bucket)?.forEach(take);
    // Each is made once, because a string that is looked up again keeps its hash.
    const suffixes: string[] = [];
    for (const length of this.#prefixLengths) {
      if (length > bucket.length) continue;
      const group = this.#byPrefix.get(bucket.slice(0, length));
      if (group === undefined) continue;
      for (const suffixLength of group.suffixLengths) {
        if (length + suffixLength > bucket.length) continue;
        suffixes[suffixLength] ??= bucket.slice(bucket.length - suffixLength);
        const rules = group.bySuffix.get(suffixes[suffixLength]);
        for (const rule of rules ?? []) if (patternMatches(rule.bucket, bucket)) take(rule);
      }
    }
    return winners;
  }
}

function add(map: Map<string, BucketRule[]>, key: string, rule: BucketRule): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [rule]);
  else known.push(rule);
}
