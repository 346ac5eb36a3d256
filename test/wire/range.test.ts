import { describe, expect, it } from 'vitest';
import { parseRange, resolveRange } from '../../src/wire/range.ts';

describe('a Range', () => {
  it.each([
    ['bytes=0-0', { kind: 'from', first: 0, last: 0 }],
    ['bytes=5-', { kind: 'from', first: 5, last: undefined }],
    ['bytes=-7', { kind: 'suffix', bytes: 7 }],
    ['Bytes=1-2', { kind: 'from', first: 1, last: 2 }],
    ['bytes=007-08', { kind: 'from', first: 7, last: 8 }],
    ['bytes=0-99999999999999999999', { kind: 'from', first: 0, last: Number.MAX_SAFE_INTEGER }],
  ])('%s', (text, range) => {
    expect(parseRange(text)).toEqual(range);
  });

  it.each([
    ...['', 'bytes', 'bytes=', 'bytes=-', 'bytes=--1', 'bytes=-1-', 'bytes=-1-2', 'bytes=a-b', 'bytes=1', 'bytes=1-b'],
    ...[
      'bytes= -1',
      'bytes=- 1',
      'bytes=-1 ',
      'bytes =-1',
      'bytes= 0-1',
      'bytes=0 -1',
      'bytes=0- 1',
      'bytes=\t0-1',
      ' bytes=0-1',
    ],
    ...[
      'bytes=1-0',
      'bytes=0-0,2-3',
      'bytes=0-1,',
      'bytes=,0-1',
      'lines=0-1',
      'bytes:0-1',
      '0-1',
      'bytes=+0-1',
      'bytes=0x0-1',
    ],
    ...['bytes=0-1;q', 'bytes=0.0-1', 'bytes=1e1-20', 'bytes=\u0661-2', 'bytes=0\u20131'],
  ])('%j is ignored', (text) => {
    expect(parseRange(text)).toBeUndefined();
  });

  it('that is none is none', () => expect(parseRange(undefined)).toBeUndefined());

  it('is cut at the end, and is out of bounds only behind it', () => {
    expect(resolveRange({ kind: 'from', first: 2, last: 99 }, 10)).toEqual({ first: 2, last: 9 });
    expect(resolveRange({ kind: 'suffix', bytes: 99 }, 10)).toEqual({ first: 0, last: 9 });
    for (const range of ['bytes=10-', 'bytes=10-11', 'bytes=-0']) {
      expect(resolveRange(parseRange(range) as never, 10)).toBe('unsatisfiable');
    }
  });
});
