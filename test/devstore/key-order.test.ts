import { describe, expect, test } from 'vitest';
import { compareKeys, KeyIndex } from '../../src/devstore/key-order.ts';
import fc from '../support/property.ts';

const key = fc.string({ unit: 'binary', maxLength: 6 });
const bytesOrder = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe('key order', () => {
  test('is the order of the UTF-8 bytes, also where UTF-16 has another', () => {
    expect(Math.sign(compareKeys('\u{10000}', '\uffff'))).toBe(1);
    fc.assert(fc.property(key, key, (a, b) => Math.sign(compareKeys(a, b)) === bytesOrder(a, b)));
  });

  test('an index that grows and shrinks stays the sorted set of its keys', () => {
    const step = fc.tuple(fc.boolean(), fc.constantFrom('', 'a', 'a/', 'a/b', 'b', '\uffff', '\u{10000}', 'A'));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const index = new KeyIndex();
        const model = new Set<string>();
        for (const [adds, name] of steps) {
          if (adds) {
            index.add(name);
            model.add(name);
          } else {
            index.remove(name);
            model.delete(name);
          }
        }
        expect([...index]).toEqual([...model].sort(bytesOrder));
      }),
    );
  });
});
