import { describe, expect, test } from 'vitest';
import {
  formatBasicIsoDate,
  formatHttpDate,
  formatIsoDate,
  parseBasicIsoDate,
  parseHttpDate,
  parseIsoDate,
} from '../../src/wire/dates.ts';
import fc from '../support/property.ts';

const MOMENT = new Date('1994-11-06T08:49:37Z');

describe('HTTP dates', () => {
  test.each([
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ])('%s', (text) => {
    expect(parseHttpDate(text)).toEqual(MOMENT);
  });

  test.each([
    '',
    '0',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 PST',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Sun, 29 Feb 2023 08:49:37 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:49:37 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    '1994-11-06T08:49:37Z',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
  ])('not %j', (text) => {
    expect(parseHttpDate(text)).toBeUndefined();
  });

  test('written', () => {
    expect(formatHttpDate(MOMENT)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  });
});

describe('ISO dates', () => {
  test('written and read', () => {
    expect(formatIsoDate(MOMENT)).toBe('1994-11-06T08:49:37.000Z');
    expect(formatBasicIsoDate(MOMENT)).toBe('19941106T084937Z');
    expect(parseIsoDate('1994-11-06T08:49:37Z')).toEqual(MOMENT);
    expect(parseIsoDate('1994-11-06T08:49:37.5Z')).toEqual(new Date(MOMENT.getTime() + 500));
    expect(parseIsoDate('1994-11-06T08:49:37.123456789Z')).toEqual(new Date(MOMENT.getTime() + 123));
  });

  test.each([
    '',
    '1994-11-06',
    '1994-11-06T08:49:37',
    '1994-13-06T08:49:37Z',
    '1994-02-30T08:49:37Z',
    '19941106T084937Z',
  ])('not %j', (text) => {
    expect(parseIsoDate(text)).toBeUndefined();
  });

  test.each([
    '',
    '19941106',
    '19941106T084937',
    '19941306T084937Z',
    '19940230T084937Z',
    '19941106T244937Z',
    '1994-11-06T08:49:37Z',
  ])('not basic: %j', (text) => {
    expect(parseBasicIsoDate(text)).toBeUndefined();
  });
});

test('every moment comes back', () => {
  const anyDate = fc.date({
    min: new Date('1970-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(anyDate, (date) => {
      const seconds = new Date(Math.floor(date.getTime() / 1000) * 1000);
      expect(parseHttpDate(formatHttpDate(date))).toEqual(seconds);
      expect(parseBasicIsoDate(formatBasicIsoDate(date))).toEqual(seconds);
      expect(parseIsoDate(formatIsoDate(date))).toEqual(date);
    }),
  );
});
