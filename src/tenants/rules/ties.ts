import type { BucketPolicy } from '../bucket-policy.ts';
import { type BucketRule, fieldsOfOption, type RuleField } from './rule.ts';
import { literalPrefix, literalSuffix } from './specificity.ts';

/** Two rules that are equally specific, match a common bucket, and both speak of one field. */
export interface Tie {
  readonly field: RuleField;
  readonly rule: BucketRule;
  /** The other rule, or the pattern of the tenant's own bucket option. */
  readonly other: BucketRule | { readonly option: string };
}

/** What stands at one place: a rule, or a bucket option of the tenant's. */
interface Entry {
  readonly bucket: string;
  readonly fields: readonly RuleField[];
  readonly rule: BucketRule | undefined;
}

/**
 * Finds rules that tie, among each other and with the tenant's own bucket options; each rule and field is named once.
 *
 * Two names tie if they are the same. Two patterns are equally specific if their literal prefixes are equally long. If
 * a bucket matches both, the prefixes are then the same text, and one of the suffixes is the end of the other. The
 * reverse is true, too: prefix, what each has in the middle, and the longer suffix make a name that both match. So the
 * rules need not be compared in pairs.
 */
export function findTies(
  rules: readonly BucketRule[],
  options: readonly BucketPolicy[],
  defaultProtection: string,
): Tie[] {
  const entries: Entry[] = [
    ...options.map((policy) => ({
      bucket: policy.pattern,
      fields: Object.keys(fieldsOfOption(policy, defaultProtection)) as RuleField[],
      rule: undefined,
    })),
    ...rules.map((rule) => ({ bucket: rule.bucket, fields: Object.keys(rule.fields) as RuleField[], rule })),
  ];
  const ties: Tie[] = [];
  const places = new Map<string, Map<string, Entry>>();
  // The shortest suffix goes first, so that every later pattern finds those that its own suffix ends with.
  for (const entry of entries.sort(byLengthOfSuffix)) {
    const prefix = literalPrefix(entry.bucket);
    for (const field of entry.fields) {
      const place = prefix === undefined ? `name ${field} ${entry.bucket}` : `prefix ${field} ${prefix}`;
      const earlier = places.get(place) ?? new Map<string, Entry>();
      places.set(place, earlier);
      const suffix = prefix === undefined ? '' : literalSuffix(entry.bucket);
      const other = prefix === undefined ? earlier.get('') : endingOf(suffix, earlier);
      if (other === undefined) earlier.set(suffix, entry);
      else {
        const tie = tieOf(field, entry, other);
        if (tie !== undefined) ties.push(tie);
      }
    }
  }
  return ties;
}

function byLengthOfSuffix(a: Entry, b: Entry): number {
  return literalSuffix(a.bucket).length - literalSuffix(b.bucket).length;
}

/** The entry whose suffix is an end of this one. */
function endingOf(suffix: string, entries: ReadonlyMap<string, Entry>): Entry | undefined {
  for (let at = suffix.length; at >= 0; at--) {
    const entry = entries.get(suffix.slice(at));
    if (entry !== undefined) return entry;
  }
  return undefined;
}

function tieOf(field: RuleField, entry: Entry, other: Entry): Tie | undefined {
  const named = (each: Entry): Tie['other'] => each.rule ?? { option: each.bucket };
  if (entry.rule !== undefined) {
    // Of two rules the one that stands later in the file is named as the wrong one.
    const first = other.rule !== undefined && isBefore(entry.rule, other.rule) ? entry.rule : undefined;
    if (first !== undefined && other.rule !== undefined) return { field, rule: other.rule, other: first };
    return { field, rule: entry.rule, other: named(other) };
  }
  // Two options never meet here as a mistake: of a tenant's own options the first among equals holds, as ever.
  return other.rule === undefined ? undefined : { field, rule: other.rule, other: named(entry) };
}

function isBefore(a: BucketRule, b: BucketRule): boolean {
  return a.line < b.line || (a.line === b.line && a.column < b.column);
}

/** Says in a sentence what is wrong with two rules that tie. */
export function describeTie({ field, rule, other }: Tie): string {
  const theirs =
    'option' in other
      ? `the tenant’s own option --bucket ${other.option} (tenant set)`
      : `the rule for ${other.bucket} in ${other.file}:${other.line}:${other.column}`;
  return (
    `${rule.file}:${rule.line}:${rule.column}: the rule for ${rule.bucket} ties with ${theirs}: ` +
    `both say ${field}, and neither is more specific.`
  );
}
