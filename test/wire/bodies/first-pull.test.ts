import { describe, expect, it } from 'vitest';
import { primed } from '../../../src/wire/bodies/first-pull.ts';
import { bodyOf, refusalOf } from '../../pipeline/in-process.ts';

describe('a primed body', () => {
  function watched(pieces: readonly (string | Error)[]) {
    let closed = 0;
    async function* source() {
      try {
        for (const piece of pieces) {
          if (piece instanceof Error) throw piece;
          yield Buffer.from(piece);
        }
      } finally {
        closed++;
      }
    }
    let released = 0;
    return {
      source: source(),
      release: () => void released++,
      counts: () => ({ closed, released }),
    };
  }
  const content = (body: AsyncIterable<Buffer>) => ({ body }) as unknown as Parameters<typeof bodyOf>[0];

  it.each([
    [[], ''],
    [['a'], 'a'],
    [['a', 'b'], 'ab'],
  ])('of %j gives all, and releases at its end', async (pieces, whole) => {
    const { source, release, counts } = watched(pieces);
    const body = await primed(source, release);
    expect(counts().released).toBe(0);
    expect((await bodyOf(content(body))).toString()).toBe(whole);
    expect(counts().closed).toBe(1);
    expect(counts().released).toBeGreaterThan(0);
  });

  it('throws what comes first before there is a body', async () => {
    const { source, release } = watched([new RangeError('first')]);
    await expect(primed(source, release)).rejects.toThrow('first');
  });

  it('releases at a later failure, and when it is let go, begun or not', async () => {
    const failing = watched(['a', new RangeError('later')]);
    const body = await primed(failing.source, failing.release);
    expect(await refusalOf(bodyOf(content(body)))).toMatch(/later/);
    expect(failing.counts().released).toBeGreaterThan(0);
    for (const pulls of [0, 1]) {
      const left = watched(['a', 'b']);
      const iterator = (await primed(left.source, left.release))[Symbol.asyncIterator]();
      for (let pull = 0; pull < pulls; pull++) await iterator.next();
      await iterator.return?.();
      expect(left.counts()).toEqual({ closed: 1, released: 1 });
    }
  });
});
