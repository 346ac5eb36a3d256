import { expect, it } from 'vitest';
import { BucketIndex } from '../../src/tenants/bucket-index.ts';
import { patternMatches, patternsOverlap } from '../../src/tenants/bucket-policy.ts';
import fc, { runs } from '../support/property.ts';

it('finds the one tenant whose pattern names the bucket', () => {
  const index = new BucketIndex([
    { pattern: 'acme', tenant: 'acme' },
    { pattern: 'acme-*', tenant: 'acme' },
    { pattern: '*-beta', tenant: 'beta' },
    { pattern: 'gamma-*-logs', tenant: 'gamma' },
    { pattern: 'gamma-*-data', tenant: 'other' },
  ]);
  const owners = ['acme', 'acme-', 'acme-x', 'acm', 'acmee', 'x-beta', '-beta', 'gamma-1-data', 'gamma-1-logs', ''];
  expect(owners.map((bucket) => index.tenantOf(bucket))).toEqual([
    ...['acme', 'acme', 'acme', undefined, undefined, 'beta', 'beta', 'other', 'gamma', undefined],
  ]);
  expect(new BucketIndex([{ pattern: '*', tenant: 'all' }]).tenantOf('anything')).toBe('all');
});

it('finds what a look at every pattern finds', () => {
  const pattern = fc.stringMatching(/^[ab*]{1,4}$/).filter((text) => !text.includes('**'));
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 8 }), fc.stringMatching(/^[ab]{0,5}$/), (patterns, bucket) => {
      const claims: { pattern: string; tenant: string }[] = [];
      for (const each of patterns) {
        if (claims.some((claim) => patternsOverlap(claim.pattern, each))) continue;
        claims.push({ pattern: each, tenant: `tenant ${each}` });
      }
      const found = claims.find((claim) => patternMatches(claim.pattern, bucket))?.tenant;
      expect(new BucketIndex(claims).tenantOf(bucket)).toBe(found);
    }),
    { numRuns: runs(1000) },
  );
});

it('is quick however many tenants there are', () => {
  const claims = Array.from({ length: 50_000 }, (_, at) => ({ pattern: `tenant-${at}-*`, tenant: `t${at}` }));
  const index = new BucketIndex(claims);
  const before = process.cpuUsage();
  for (let at = 0; at < 1000; at++) expect(index.tenantOf(`tenant-${at * 50}-bucket`)).toBe(`t${at * 50}`);
  expect(process.cpuUsage(before).user).toBeLessThan(500_000);
});
