import { describe, expect, test } from 'vitest';
import { type GivenSettings, needs, oneOf, together } from '../../src/settings/forms/rules.ts';
import { SettingSources } from '../../src/settings/source.ts';

const given = (...names: readonly string[]): GivenSettings => ({
  isGiven: (name) => names.some((each) => each === name || each.startsWith(`${name}.`)),
  value: () => undefined,
});

describe('rules between settings', () => {
  const rule = oneOf(['a.x', 'a.y', 'a.z'], 'Choose.');

  test('one of any number, settings or sections', () => {
    const expected = 'one of a.x, a.y and a.z';
    expect(rule(given('a.y'))).toEqual([]);
    expect(rule(given('a.z.url', 'a.z.token'))).toEqual([]);
    expect(rule(given())).toEqual([{ setting: 'a.x', problem: 'is missing', expected, hint: 'Choose.' }]);
    expect(rule(given('a.z.url', 'a.y'))).toEqual([
      { setting: 'a.y', problem: 'excludes a.z', expected, hint: 'Choose.' },
    ]);
    expect(oneOf(['a', 'b'], 'h')(given())[0]?.expected).toBe('one of a and b');
  });

  test('companions', () => {
    expect(together('a', 'b')(given())).toEqual([]);
    expect(together('a', 'b')(given('a', 'b'))).toEqual([]);
    expect(together('a', 'b')(given('b'))).toEqual([{ setting: 'a', problem: 'is missing', hint: 'b needs it.' }]);
  });

  test('what another one needs', () => {
    expect(needs('a', ['b', 'c'])(given('b'))).toEqual([]);
    expect(needs('a', ['b', 'c'])(given('a', 'c'))).toEqual([
      { setting: 'b', problem: 'is missing', hint: 'a needs it.' },
    ]);
  });
});

test('a section is given when a setting in it is', () => {
  const yaml = 'keys: { root: { file: root.key } }';
  const sources = new SettingSources({ file: 'f', yaml, folder: '/etc', env: {}, overrides: {} });
  expect(sources.isGiven('keys.root')).toBe(true);
  expect(sources.isGiven('keys.root.file')).toBe(true);
  expect(sources.isGiven('keys.root.fil')).toBe(false);
  expect(sources.isGiven('keys.store')).toBe(false);
  expect(sources.value('keys.root.file')).toBe('/etc/root.key');
});
