import { describe, expect, it } from 'vitest';
import { QueryList } from '../../src/wire/query.ts';

describe('a query', () => {
  it('spells a blank as a plus or as %20, and a plus as %2B, in names and values', () => {
    const { parameters } = new QueryList('prefix=my+own%20back%2Bup&a+b%2B=&c');
    expect(parameters.map(({ name, value }) => [name, value])).toEqual([
      ['prefix', 'my own back+up'],
      ['a b+', ''],
      ['c', ''],
    ]);
    expect(parameters[0]).toMatchObject({ rawName: 'prefix', rawValue: 'my+own%20back%2Bup' });
  });

  it('reads bytes past ASCII as UTF-8, encoded or not', () => {
    const raw = Buffer.from('prefix=ü+中', 'utf8').toString('latin1');
    expect(new QueryList(raw).get('prefix')).toBe('ü 中');
    expect(new QueryList('prefix=%C3%BC+%E4%B8%AD').get('prefix')).toBe('ü 中');
  });

  it('has at most 500 parameters', () => {
    const pieces = Array.from({ length: 500 }, (_, at) => `p${at}=`);
    expect(new QueryList(pieces.join('&')).parameters).toHaveLength(500);
    expect(() => new QueryList([...pieces, 'one-more'].join('&'))).toThrow(
      expect.objectContaining({ code: 'InvalidURI' }),
    );
  });
});
