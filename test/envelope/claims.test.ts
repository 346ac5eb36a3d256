import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type ClientMetadata, canonicalMetadata } from '../../src/envelope/claims.ts';
import { ObjectKeys } from '../../src/envelope/object-keys.ts';
import fc, { runs } from '../support/property.ts';
import { arbitraryContent } from './arbitrary-content.ts';

const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 6,
});
const field = fc.option(latin1, { nil: undefined });
const metadata = fc.record({
  content: arbitraryContent(field),
  user: fc.uniqueArray(fc.tuple(latin1, latin1), { maxLength: 4, selector: ([name]) => name }),
});

const sorted = ({ content, user }: ClientMetadata) => ({
  content,
  user: [...user].sort(([one], [other]) => Buffer.compare(Buffer.from(one, 'latin1'), Buffer.from(other, 'latin1'))),
});

describe('canonical metadata (FORMAT.md §3.2)', () => {
  test('the layout, byte by byte', () => {
    const user = [['b', '2'] as const, ['A', 'é'] as const];
    expect(canonicalMetadata({ content: { contentType: 'x/y', expires: '' }, user }).toString('hex')).toBe(
      ['00000003782f79', 'ffffffff', 'ffffffff', 'ffffffff', 'ffffffff', '00000000'].join('') +
        ['0000000141', '00000001e9', '0000000162', '0000000132'].join(''),
    );
  });

  test('equal encodings are equal metadata, whatever their order', () => {
    fc.assert(
      fc.property(metadata, metadata, (one, other) => {
        const same = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
        expect(canonicalMetadata(one).equals(canonicalMetadata(other))).toBe(same);
      }),
      { numRuns: runs(1000) },
    );
    fc.assert(
      fc.property(metadata, (one) => {
        expect(canonicalMetadata({ content: one.content, user: [...one.user].reverse() })).toEqual(
          canonicalMetadata(one),
        );
      }),
      { numRuns: runs(300) },
    );
  });

  test('text cannot move across a boundary', () => {
    const of = (...user: [string, string][]) => canonicalMetadata({ content: {}, user }).toString('hex');
    const all = [
      of(['ab', 'c']),
      of(['a', 'bc']),
      of(['a', 'b'], ['c', '']),
      of(['a', ''], ['b', 'c']),
      of(['abc', '']),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(canonicalMetadata({ content: { contentType: 'a' }, user: [] })).not.toEqual(
      canonicalMetadata({ content: { cacheControl: 'a' }, user: [] }),
    );
    expect(canonicalMetadata({ content: { contentType: '' }, user: [] })).not.toEqual(
      canonicalMetadata({ content: {}, user: [] }),
    );
  });

  test('the envelope’s own entry does not count; the argument stays as it is', () => {
    const user = [['z', '1'] as const, ['sx1', 'AQ'] as const, ['a', '2'] as const];
    const before = [...user];
    expect(canonicalMetadata({ content: {}, user })).toEqual(
      canonicalMetadata({
        content: {},
        user: [
          ['a', '2'],
          ['z', '1'],
        ],
      }),
    );
    expect(user).toEqual(before);
  });

  test('two texts that differ past latin1 never share bytes: such text is refused', () => {
    expect(() => canonicalMetadata({ content: {}, user: [['a', '\u0141']] })).toThrow(RangeError);
  });
});

describe('claims', () => {
  const keys = new ObjectKeys(randomBytes(32), randomBytes(16));

  test('the location tag tells apart every other split of the same letters, and canonical look-alikes', () => {
    const places = [
      ['bkt', 'a/b'],
      ['bk', 'ta/b'],
      ['bkta', '/b'],
      ['bkt', 'a//b'],
      ['bkt', '/a/b'],
      ['bkt', 'a/./b'],
      ['bkt', 'a%2Fb'],
      ['bkt', 'é'],
      ['bkt', 'e\u0301'],
    ] as const;
    const tags = places.map(([bucket, key]) => keys.locationTag(bucket, key).toString('hex'));
    expect(new Set(tags).size).toBe(places.length);
    expect(tags.every((tag) => tag.length === 32)).toBe(true);
  });

  test('another object has other tags for the same place and metadata', () => {
    const other = new ObjectKeys(randomBytes(32), randomBytes(16));
    const canonical = canonicalMetadata({ content: {}, user: [] });
    expect(other.locationTag('b', 'k')).not.toEqual(keys.locationTag('b', 'k'));
    expect(other.metadataTag(canonical)).not.toEqual(keys.metadataTag(canonical));
    expect(keys.metadataTag(canonical)).toHaveLength(16);
  });
});
