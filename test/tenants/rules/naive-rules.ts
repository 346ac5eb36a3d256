import { type BucketPolicy, patternMatches, patternsOverlap } from '../../../src/tenants/bucket-policy.ts';
import type { Ruled, SaidBy } from '../../../src/tenants/rules/decision.ts';
import { type BucketRule, fieldsOfOption, type RuleField, type RuleFields } from '../../../src/tenants/rules/rule.ts';
import fc from '../../support/property.ts';

/** Rules resolved by comparing everything with everything: slow, and plainly what the documents say. */

const rank = (pattern: string) => (pattern.includes('*') ? pattern.indexOf('*') : 1000);

function ownOption(buckets: readonly BucketPolicy[], bucket: string): BucketPolicy | undefined {
  const literals = (pattern: string) => (pattern.includes('*') ? pattern.replaceAll('*', '').length : 1000);
  return buckets
    .filter(({ pattern }) => patternMatches(pattern, bucket))
    .reduce<BucketPolicy | undefined>(
      (best, each) => (best !== undefined && literals(best.pattern) >= literals(each.pattern) ? best : each),
      undefined,
    );
}

/** For each field, the value that holds and who says it. */
export function naiveDecision(
  { buckets, rules }: Ruled,
  bucket: string,
): Record<string, { value: unknown; by: SaidBy }> {
  const option = ownOption(buckets, bucket);
  if (option === undefined) return {};
  const said: { pattern: string; fields: RuleFields; by: SaidBy }[] = [
    { pattern: option.pattern, fields: fieldsOfOption(option, 'seal'), by: { option: option.pattern } },
    ...(rules?.rules ?? []).map((rule) => ({ pattern: rule.bucket, fields: rule.fields, by: rule })),
  ];
  const decision: Record<string, { value: unknown; by: SaidBy }> = {};
  for (const { pattern, fields, by } of said.sort((a, b) => rank(b.pattern) - rank(a.pattern))) {
    if (!patternMatches(pattern, bucket)) continue;
    for (const [field, value] of Object.entries(fields)) decision[field] ??= { value, by };
  }
  return decision;
}

/** Whether two of them tie. */
export function naiveTie(rules: readonly BucketRule[], options: readonly BucketPolicy[]): boolean {
  const all = [
    ...rules.map(({ bucket, fields }) => ({ bucket, fields, isRule: true })),
    ...options.map((each) => ({ bucket: each.pattern, fields: fieldsOfOption(each, 'seal'), isRule: false })),
  ];
  return all.some((one, at) =>
    all
      .slice(at + 1)
      .some(
        (other) =>
          (one.isRule || other.isRule) &&
          rank(one.bucket) === rank(other.bucket) &&
          patternsOverlap(one.bucket, other.bucket) &&
          Object.keys(one.fields).some((field) => field in other.fields),
      ),
  );
}

const FIELDS: { readonly [Field in RuleField]?: fc.Arbitrary<unknown> } = {
  readOnly: fc.boolean(),
  require: fc.constantFrom('any', 'kms'),
  etag: fc.constantFrom('opaque', 'md5'),
  plaintextReads: fc.constantFrom('allow', 'refuse'),
};

/** Patterns of few letters, so that many match the same bucket. */
export const somePattern = fc.stringMatching(/^[ab*]{1,5}$/).filter((pattern) => !pattern.includes('**'));
export const someBucket = fc.stringMatching(/^[ab]{1,6}$/);

export const someRules: fc.Arbitrary<BucketRule[]> = fc
  .array(
    fc.record({
      bucket: somePattern,
      fields: fc.record(FIELDS, { requiredKeys: [] }) as fc.Arbitrary<RuleFields>,
    }),
    { maxLength: 8 },
  )
  .map((rules) => rules.map((rule, at) => ({ ...rule, file: 'rules.yaml', line: at + 2, column: 5 })));
