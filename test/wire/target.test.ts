import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/wire/target.ts';

describe('a target', () => {
  it.each([
    ['/', undefined, '/', ''],
    ['/bucket/a//../b?c=d?e', 'a', '/bucket/a//../b', 'c=d?e'],
    ['//a/b', 'a', '//a/b', ''],
    ['http://a', 'a', '/', ''],
    ['http://a?uploads', 'a', '/', 'uploads'],
    ['http://a:9000//b/http://c?d=http://e', 'a:9000', '//b/http://c', 'd=http://e'],
  ])('%s at %s', (raw, host, rawPath, rawQuery) => {
    expect(parseTarget(raw, host)).toEqual({ raw, rawPath, rawQuery });
  });

  it.each([
    ['*', 'a'],
    ['', 'a'],
    ['a:80', 'a:80'],
    ['http://', ''],
    ['http://a.b/c', 'a'],
    ['http://a/c', 'a.b'],
    ['http://a:443/c', 'a'],
    ['http://a#@b/c', 'b'],
    ['http:\\\\a/c', 'a'],
  ])('%s at %s is none', (raw, host) => {
    expect(() => parseTarget(raw, host)).toThrow(expect.objectContaining({ code: 'InvalidURI' }));
  });
});
