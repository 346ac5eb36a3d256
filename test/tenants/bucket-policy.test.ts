import { describe, expect, it } from 'vitest';
import { patternMatches, patternsOverlap, bucketPolicy as policyOf } from '../../src/tenants/bucket-policy.ts';
import { policyFor } from '../../src/tenants/tenant.ts';
import fc, { runs } from '../support/property.ts';
import { bucketPolicy } from './fixture.ts';

describe('bucket patterns', () => {
  it.each([
    ['acme', 'acme', true],
    ['acme', 'acme2', false],
    ['acme-*', 'acme-', true],
    ['acme-*', 'acme-logs', true],
    ['acme-*', 'acme', false],
    ['*', '', true],
    ['*', 'anything', true],
    ['*-logs', 'a-logs-logs', true],
    ['a*b*c', 'aXbYbZc', true],
    ['a*b*c', 'acb', false],
    ['a.c', 'abc', false],
    ['a*a', 'a', false],
  ])('%s against %s: %s', (pattern, bucket, matches) => {
    expect(patternMatches(pattern, bucket)).toBe(matches);
  });

  it('matches as the regular expression of the same meaning does', () => {
    const pattern = fc.stringMatching(/^[ab*]{1,8}$/);
    fc.assert(
      fc.property(pattern, fc.stringMatching(/^[ab]{0,8}$/), (glob, bucket) => {
        expect(patternMatches(glob, bucket)).toBe(new RegExp(`^${glob.replaceAll('*', '.*')}$`).test(bucket));
      }),
      { numRuns: runs(1000) },
    );
  });

  it('answers at once for patterns made to be slow', () => {
    const before = process.cpuUsage();
    expect(patternMatches(`${'a*'.repeat(31)}b`, 'a'.repeat(63))).toBe(false);
    expect(process.cpuUsage(before).user).toBeLessThan(50_000);
  });

  it.each([
    ['a', 'a', true],
    ['a', 'b', false],
    ['a*', 'ab', true],
    ['a*', '*b', true],
    ['a*', 'b*', false],
    ['*a', '*b', false],
    ['acme-*', 'acme-logs-*', true],
    ['acme-*', 'acme', false],
    ['*', 'x', true],
    ['a*c', 'ab*', true],
    ['a*c', 'ab', false],
  ])('%s and %s overlap: %s', (a, b, overlap) => {
    expect([patternsOverlap(a, b), patternsOverlap(b, a)]).toEqual([overlap, overlap]);
  });

  it('overlap exactly when some short name matches both', () => {
    const pattern = fc.stringMatching(/^[ab*]{1,4}$/);
    const names = [''];
    for (const name of names) if (name.length < 8) names.push(`${name}a`, `${name}b`);
    fc.assert(
      fc.property(pattern, pattern, (a, b) => {
        expect(patternsOverlap(a, b)).toBe(names.some((name) => patternMatches(a, name) && patternMatches(b, name)));
      }),
      { numRuns: runs(200) },
    );
  });
});

describe('bucket policies', () => {
  it('seal and enforce by default, undefined fields included', () => {
    const defaults = {
      protection: 'seal',
      mixed: false,
      location: 'enforce',
      metadata: 'enforce',
      quantum: 0,
      anonymous: false,
      etag: 'opaque',
    };
    expect(bucketPolicy({ pattern: 'a*' })).toEqual({ pattern: 'a*', ...defaults });
    expect(bucketPolicy({ pattern: 'a*', mixed: undefined })).toEqual({ pattern: 'a*', ...defaults });
  });

  it.each([
    [{ pattern: '' }, '1 to 63'],
    [{ pattern: 'a/b' }, '1 to 63'],
    [{ pattern: 'a b' }, '1 to 63'],
    [{ pattern: 'x'.repeat(64) }, '1 to 63'],
    [{ pattern: 'a**' }, 'two stars'],
    [{ pattern: 'a', protection: 'plain' }, 'protection seal or none'],
    [{ pattern: 'a', quantum: 3 }, 'quantum 0, 1 or 2'],
    [{ pattern: 'a', location: 'off' }, 'location enforce or warn'],
    [{ pattern: 'a', metadata: 'off' }, 'metadata enforce or warn'],
    [{ pattern: 'a', mixed: 'yes' }, 'mixed true or false'],
  ])('refuse %j', (input, message) => {
    expect(() => policyOf(input as never, ['seal', 'none'])).toThrow(message);
  });

  it('choose the most specific pattern, a plain name before any star, the earlier of equals', () => {
    const buckets = ['*', 'acme-*', 'acme-*-x', 'acme-1-x', 'a*-1'].map((pattern) => bucketPolicy({ pattern }));
    const chosen = (bucket: string) => policyFor({ buckets }, bucket)?.pattern;
    expect(chosen('zzz')).toBe('*');
    expect(chosen('acme-2')).toBe('acme-*');
    expect(chosen('acme-2-x')).toBe('acme-*-x');
    expect(chosen('acme-1-x')).toBe('acme-1-x');
    expect(policyFor({ buckets: [] }, 'a')).toBeUndefined();
    const equals = ['ab*', '*ab'].map((pattern) => bucketPolicy({ pattern }));
    expect(policyFor({ buckets: equals }, 'abab')?.pattern).toBe('ab*');
  });
});
