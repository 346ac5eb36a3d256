import { describe, expect, it } from 'vitest';
import type { BucketPolicy } from '../../../src/tenants/bucket-policy.ts';
import { CompiledRules } from '../../../src/tenants/rules/compiled-rules.ts';
import { decide, decisionFor } from '../../../src/tenants/rules/decision.ts';
import type { BucketRule, RuleFields } from '../../../src/tenants/rules/rule.ts';
import { describeTie, findTies } from '../../../src/tenants/rules/ties.ts';
import fc, { runs } from '../../support/property.ts';
import { bucketPolicy } from '../fixture.ts';
import { naiveDecision, naiveTie, someBucket, somePattern, someRules } from './naive-rules.ts';

const someOptions: fc.Arbitrary<BucketPolicy[]> = fc.uniqueArray(
  fc
    .record({ pattern: somePattern, etag: fc.constantFrom('opaque' as const, 'md5'), mixed: fc.boolean() })
    .map(bucketPolicy),
  { minLength: 1, maxLength: 4, selector: ({ pattern }) => pattern },
);

function rule(bucket: string, fields: RuleFields, line = 1): BucketRule {
  return { bucket, fields, file: 'rules.yaml', line, column: 5 };
}

function ruled(rules: readonly BucketRule[], options: readonly BucketPolicy[] = [bucketPolicy({ pattern: '*' })]) {
  return { buckets: options, rules: new CompiledRules(rules, 'seal') };
}

describe('what holds for a bucket', () => {
  it('says how the store encrypts, and with which keys, whichever rule says it', () => {
    const tenant = ruled([
      rule('*', { protection: 'inject' }, 1),
      rule('pay-*', { inject: 'kms', keys: ['cards', 'loans'] }, 2),
      rule('pay-vault', { inject: 'customer' }, 3),
    ]);
    const told = ['other', 'pay-a', 'pay-vault'].map((bucket) => {
      const { protection, inject, keys } = decide(tenant, bucket)!.policy;
      return [protection, inject, keys];
    });
    expect(told).toEqual([
      ['inject', undefined, undefined],
      ['inject', 'kms', ['cards', 'loans']],
      ['inject', 'customer', ['cards', 'loans']],
    ]);
  });

  it('is what the most specific rule says, field by field', () => {
    const tenant = ruled([
      rule('*', { readOnly: true, etag: 'md5', minTls: '1.2' }, 1),
      rule('pay-*', { minTls: '1.3', require: 'kms' }, 2),
      rule('pay-archive', { readOnly: false, plaintextReads: 'allow' }, 3),
    ]);
    const { said, policy } = decide(tenant, 'pay-archive')!;
    const lines = Object.entries(said).map(([field, { value, by }]) => [field, value, (by as BucketRule).line]);
    expect(lines).toEqual([
      ['require', 'kms', 2],
      ['plaintextReads', 'allow', 3],
      ['etag', 'md5', 1],
      ['minTls', '1.3', 2],
      ['readOnly', false, 3],
    ]);
    expect(policy).toMatchObject({ pattern: '*', protection: 'seal', mixed: true, etag: 'md5', location: 'enforce' });
    expect(decide(tenant, 'other')?.said.readOnly?.value).toBe(true);
  });

  it.each([
    ['an option that is more specific than the rule', 'acme-pay-*', 'acme-*', 'md5'],
    ['a rule that is more specific than the option', 'acme-*', 'acme-pay-*', 'opaque'],
  ])('is what the tenant’s own option says as well: %s', (_what, option, pattern, etag) => {
    const tenant = ruled([rule(pattern, { etag: 'opaque' })], [bucketPolicy({ pattern: option, etag: 'md5' })]);
    expect(decide(tenant, 'acme-pay-1')?.policy.etag).toBe(etag);
  });

  it('is the option alone where there are no rules, and nothing for a bucket of somebody else', () => {
    const own = bucketPolicy({ pattern: 'acme-*', etag: 'md5' });
    expect(decide({ buckets: [own] }, 'acme-a')).toEqual({ policy: own, said: {} });
    expect(decide({ buckets: [own] }, 'acme-a')?.policy).toBe(own);
    expect(decide({ ...ruled([rule('*', { readOnly: true })], [own]) }, 'beta-a')).toBeUndefined();
  });

  it('is decided once for a bucket, so that what is known of a policy stays known', () => {
    const tenant = ruled([rule('*', { etag: 'md5' })]);
    expect(decisionFor(tenant, 'a')).toBe(decisionFor(tenant, 'a'));
    for (let at = 0; at < 2000; at++) decisionFor(tenant, `bucket-${at}`);
    expect(decisionFor(tenant, 'bucket-7')?.policy.etag).toBe('md5');
  });

  it('is what comparing every rule finds', () => {
    fc.assert(
      fc.property(someRules, someOptions, fc.array(someBucket, { minLength: 1 }), (rules, options, buckets) => {
        fc.pre(findTies(rules, options, 'seal').length === 0);
        const tenant = ruled(rules, options);
        for (const bucket of buckets) expect(decide(tenant, bucket)?.said ?? {}).toEqual(naiveDecision(tenant, bucket));
      }),
      { numRuns: runs(2000) },
    );
  });
});

describe('rules that tie', () => {
  it.each<[string, RuleFields, string, RuleFields, boolean]>([
    ['pay-*', { etag: 'md5' }, 'pay-*', { etag: 'md5' }, true],
    ['pay-*', { etag: 'md5' }, 'pay-*', { readOnly: true }, false],
    ['pay-*', { etag: 'md5' }, 'pay-*-old', { etag: 'opaque' }, true],
    ['pay-*-new', { etag: 'md5' }, 'pay-*-old', { etag: 'opaque' }, false],
    ['pay-*', { etag: 'md5' }, 'pay-a*', { etag: 'opaque' }, false],
    ['pay-a', { etag: 'md5' }, 'pay-a', { etag: 'opaque' }, true],
    ['pay-a', { etag: 'md5' }, 'pay-*', { etag: 'opaque' }, false],
    ['*x*', { etag: 'md5' }, '*y*', { etag: 'opaque' }, true],
  ])('%s %j and %s %j: %s', (one, oneFields, other, otherFields, tie) => {
    const ties = findTies([rule(one, oneFields, 3), rule(other, otherFields, 4)], [], 'seal');
    expect(ties.map(({ field, rule: { line }, other: first }) => [field, line, (first as BucketRule).line])).toEqual(
      tie ? [['etag', 4, 3]] : [],
    );
  });

  it('are named, and so is the option of the tenant’s with which one ties', () => {
    const [first] = findTies([rule('a*', { etag: 'md5' }, 3), rule('a*', { etag: 'md5' }, 9)], [], 'seal');
    expect(describeTie(first!)).toBe(
      'rules.yaml:9:5: the rule for a* ties with the rule for a* in rules.yaml:3:5: both say etag, and neither is more ' +
        'specific.',
    );
    const [second] = findTies([rule('a*', { etag: 'md5' })], [bucketPolicy({ pattern: 'a*', etag: 'md5' })], 'seal');
    expect(describeTie(second!)).toContain('ties with the tenant’s own option --bucket a* (tenant set): both say etag');
    expect(findTies([rule('a*', { etag: 'md5' })], [bucketPolicy({ pattern: 'a*', mixed: true })], 'seal')).toEqual([]);
  });

  it('are found exactly where comparing each with each finds some', () => {
    fc.assert(
      fc.property(someRules, someOptions, (rules, options) => {
        expect(findTies(rules, options, 'seal').length > 0).toBe(naiveTie(rules, options));
      }),
      { numRuns: runs(2000) },
    );
  });
});
