import { type BucketPolicy, patternMatches, patternSpecificity } from '../bucket-policy.ts';
import type { CompiledRules } from './compiled-rules.ts';
import { type BucketRule, fieldsOfOption, RULE_FIELD_NAMES, type RuleField, type RuleFields } from './rule.ts';
import { specificity } from './specificity.ts';

/** Who says what holds: a rule of a file, or the bucket option of the tenant with this pattern. */
export type SaidBy = BucketRule | { readonly option: string };

/** What holds for a field, and who says so. */
export interface Said<Field extends RuleField> {
  readonly value: NonNullable<RuleFields[Field]>;
  readonly by: SaidBy;
}

/** What holds for one bucket. It is made once for a bucket, and shared by all requests for it. */
export interface Decision {
  /** How the bucket's objects lie in the store, and how they are shown. */
  readonly policy: BucketPolicy;
  /** The fields of which a rule or an option speaks. */
  readonly said: { readonly [Field in RuleField]?: Said<Field> };
}

/** Of whom a decision is asked: a tenant, or what stands for one. */
export interface Ruled {
  readonly buckets: readonly BucketPolicy[];
  /** The rules that were applied for the tenant; undefined where there are none. */
  readonly rules?: CompiledRules | undefined;
}

/** How many buckets' decisions are remembered for a tenant. They are made anew with the cached record of the tenant. */
const MOST_REMEMBERED = 1024;

const remembered = new WeakMap<Ruled, Map<string, Decision | undefined>>();
const NOTHING_SAID: Decision['said'] = Object.freeze({});

/** Returns what holds for a bucket of a tenant; undefined if the bucket is not this tenant's. */
export function decisionFor(tenant: Ruled, bucket: string): Decision | undefined {
  let decisions = remembered.get(tenant);
  if (decisions === undefined) {
    decisions = new Map();
    remembered.set(tenant, decisions);
  }
  const known = decisions.get(bucket);
  if (known !== undefined || decisions.has(bucket)) return known;
  if (decisions.size >= MOST_REMEMBERED) decisions.clear();
  const decision = decide(tenant, bucket);
  decisions.set(bucket, decision);
  return decision;
}

/**
 * Decides what holds for a bucket: of each field, what the most specific rule says that speaks of it. The tenant's own
 * bucket option counts as a rule that speaks of what differs from the defaults.
 */
export function decide({ buckets, rules }: Ruled, bucket: string): Decision | undefined {
  const option = optionFor(buckets, bucket);
  if (option === undefined || rules === undefined) return option && { policy: option, said: NOTHING_SAID };
  const said: { [Field in RuleField]?: { value: unknown; by: SaidBy } } = {};
  const winners = rules.winners(bucket);
  const optionFields = fieldsOfOption(option, rules.defaultProtection);
  const optionRank = specificity(option.pattern);
  for (const field of RULE_FIELD_NAMES) {
    const rule = winners[field];
    const own = optionFields[field];
    if (own !== undefined && (rule === undefined || optionRank > specificity(rule.bucket))) {
      said[field] = { value: own, by: { option: option.pattern } };
    } else if (rule !== undefined) said[field] = { value: rule.fields[field], by: rule };
  }
  const decision = said as Decision['said'];
  return Object.freeze({ policy: policyOf(option, decision), said: decision });
}

/**
 * Returns the tenant's own option for a bucket: that of the most specific pattern that matches, and of the first among
 * equals.
 */
function optionFor(buckets: readonly BucketPolicy[], bucket: string): BucketPolicy | undefined {
  let best: BucketPolicy | undefined;
  for (const policy of buckets) {
    if (best !== undefined && patternSpecificity(policy.pattern) <= patternSpecificity(best.pattern)) continue;
    if (patternMatches(policy.pattern, bucket)) best = policy;
  }
  return best;
}

function policyOf(option: BucketPolicy, said: Decision['said']): BucketPolicy {
  const { protection, inject, keys, plaintextReads, location, metadata, etag, quantum, anonymous } = said;
  return Object.freeze({
    pattern: option.pattern,
    protection: protection?.value ?? option.protection,
    ...(inject !== undefined && { inject: inject.value }),
    ...(keys !== undefined && { keys: keys.value }),
    mixed: plaintextReads === undefined ? option.mixed : plaintextReads.value === 'allow',
    location: location?.value ?? option.location,
    metadata: metadata?.value ?? option.metadata,
    etag: etag?.value ?? option.etag,
    quantum: quantum?.value ?? option.quantum,
    anonymous: anonymous?.value ?? option.anonymous,
  });
}
