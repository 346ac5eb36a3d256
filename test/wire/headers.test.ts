import { expect, it } from 'vitest';
import { HeaderList } from '../../src/wire/headers.ts';
import fc from '../support/property.ts';

const name = fc.constantFrom('a', 'A', 'b', 'B-c', 'b-C', 'd');
const change = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), name, value: fc.string({ maxLength: 3 }) }),
  fc.record({ kind: fc.constant('set' as const), name, value: fc.string({ maxLength: 3 }) }),
  fc.record({ kind: fc.constant('delete' as const), name, value: fc.constant('') }),
);

it('answers alike, short or long, whatever is added and taken away', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), fc.constantFrom(0, 39, 41, 200), (changes, others) => {
      const list = HeaderList.of(Array.from({ length: others }, (_, at) => [`x-${at}`, String(at)] as const));
      let model: [string, string][] = [];
      for (const { kind, name: key, value } of changes) {
        list.has(key);
        if (kind !== 'append') model = model.filter(([known]) => known.toLowerCase() !== key.toLowerCase());
        if (kind !== 'delete') model.push([key, value]);
        if (kind === 'append') list.append(key, value);
        else if (kind === 'set') list.set(key, value);
        else list.delete(key);
        for (const asked of ['A', 'b', 'b-c', 'D', 'none']) {
          const values = model.filter(([known]) => known.toLowerCase() === asked.toLowerCase()).map(([, each]) => each);
          expect([list.getAll(asked), list.get(asked), list.has(asked)]).toEqual([
            values,
            values[0],
            values.length > 0,
          ]);
        }
      }
      expect([...list].slice(others)).toEqual(model);
    }),
  );
});
