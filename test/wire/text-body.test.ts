import { describe, expect, test } from 'vitest';
import { textBody } from '../../src/wire/bodies/text-body.ts';

function* counted(count: number, text: (at: number) => string, made: { texts: number }): Generator<string> {
  for (let at = 0; at < count; at++) {
    made.texts++;
    yield text(at);
  }
}

describe('a long document', () => {
  test.each([
    ['ASCII', (at: number) => `<Key>${at}</Key>`.padEnd(300, '.')],
    ['every width of UTF-8', (at: number) => `${at} aü日🙂`.repeat(30)],
    ['one text longer than a piece', (at: number) => 'ü'.repeat(at === 100 ? 200_000 : 200)],
  ])('is its texts, in pieces that are made as they are taken: %s', async (_what, text) => {
    const made = { texts: 0 };
    const body = textBody(counted(2_000, text, made));
    if (Buffer.isBuffer(body)) throw new Error('not a stream');
    expect(made.texts).toBeLessThan(1_000);
    const pieces: Buffer[] = [];
    for await (const piece of body) {
      expect(made.texts === 2_000 || piece.length >= 64 * 1024).toBe(true);
      pieces.push(Buffer.from(piece)); // the next one is written into the same memory
    }
    expect(Buffer.concat(pieces).toString()).toBe([...counted(2_000, text, made)].join(''));
  });
});

test('a short document is one buffer', () => {
  expect(textBody(['a', 'ü', ''])).toEqual(Buffer.from('aü'));
  expect(textBody([])).toEqual(Buffer.alloc(0));
  expect(textBody(['x'.repeat(60_000)])).toHaveLength(60_000);
});
