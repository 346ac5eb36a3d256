import { describe, expect, it } from 'vitest';
import { KeyTries } from '../../src/store/encrypting/key-tries.ts';

const tryOf = (version: number) => ({ version, key: () => undefined });

/** The versions that are tried for an object under `fits`, 0 being none, by a store that answers as S3 does. */
function tried(order: readonly number[], remembered: number | undefined, fits: number): (number | string)[] {
  const tries = new KeyTries(order.map(tryOf), remembered);
  const versions: (number | string)[] = [];
  for (;;) {
    const { version } = tries.current;
    versions.push(version);
    if (version === fits) return versions;
    const status = fits !== 0 && version !== 0 ? 403 : 400;
    if (!tries.goesOnAfter(status)) return [...versions, 'refused'];
  }
}

describe('the keys that are tried for an object', () => {
  it.each([
    ['the newest', [3, 2, 1, 0], undefined, 3, [3]],
    ['the oldest', [3, 2, 1, 0], undefined, 1, [3, 2, 1]],
    ['the one that fitted last, first', [3, 2, 1, 0], 1, 1, [1]],
    ['another, where the object was replaced', [3, 2, 1, 0], 1, 3, [1, 3]],
    ['none, after one that is too many', [3, 2, 1, 0], undefined, 0, [3, 0]],
    ['none at all', [3, 2, 1, 0], 0, 0, [0]],
    ['one that is gone: no more than there are', [3, 2, 1, 0], undefined, 9, [3, 2, 1, 'refused']],
    ['one that is gone, where another fitted last', [3, 2, 1, 0], 2, 9, [2, 3, 1, 'refused']],
    ['one, where the policy does not ask for any now', [0, 2, 1], undefined, 1, [0, 2, 1]],
    ['a version that is forgotten', [3, 2, 1, 0], 7, 3, [3]],
  ] as const)('%s', (_what, order, remembered, fits, expected) => {
    expect(tried(order, remembered, fits)).toEqual(expected);
  });

  it.each([200, 304, 404, 412, 416, 500, 503])('end with %d', (status) => {
    expect(new KeyTries([3, 0].map(tryOf), undefined).goesOnAfter(status)).toBe(false);
  });

  it('end where a request is refused with a key and without', () => {
    const tries = new KeyTries([3, 2, 0].map(tryOf), undefined);
    expect([tries.goesOnAfter(400), tries.current.version, tries.goesOnAfter(400)]).toEqual([true, 0, false]);
  });
});
