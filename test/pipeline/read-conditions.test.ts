import { describe, expect, it } from 'vitest';
import { judge, judgedConditions } from '../../src/pipeline/read-conditions.ts';
import type { Conditions } from '../../src/wire/conditions.ts';
import { formatHttpDate } from '../../src/wire/dates.ts';
import fc from '../support/property.ts';

const MODIFIED = new Date('2024-05-06T07:08:09.678Z');
const OBJECT = { etag: 'abc', lastModified: MODIFIED };
const at = (seconds: number) => formatHttpDate(new Date(MODIFIED.getTime() + seconds * 1000));

type Verdict = 'served' | 'PreconditionFailed' | 'NotModified';

/** RFC 9110 §13.2.2, step by step. `*` and one ETag only. */
function byTheBook({ ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince }: Conditions): Verdict {
  const seconds = Math.floor(MODIFIED.getTime() / 1000);
  const date = (text: string) => Math.floor(Date.parse(text) / 1000);
  const is = (etag: string) => etag === '*' || etag === '"abc"';
  if (ifMatch !== undefined) {
    if (!is(ifMatch)) return 'PreconditionFailed';
  } else if (ifUnmodifiedSince !== undefined && seconds > date(ifUnmodifiedSince)) return 'PreconditionFailed';
  if (ifNoneMatch !== undefined) return is(ifNoneMatch) ? 'NotModified' : 'served';
  return ifModifiedSince !== undefined && seconds <= date(ifModifiedSince) ? 'NotModified' : 'served';
}

function verdict(conditions: Conditions, object = OBJECT): Verdict {
  try {
    judge(conditions, { ...object, etags: [object.etag] });
    return 'served';
  } catch (error) {
    return (error as { code: Verdict }).code;
  }
}

/** versitygw compares fractions of a second, which no HTTP date has: the object is newer than its own Last-Modified. */
function verdictWithFractions(conditions: Conditions): Verdict {
  return verdict(conditions, { ...OBJECT, lastModified: new Date(MODIFIED.getTime() + 1000) });
}

/** A backend that evaluates one plain condition rightly, as they all do. */
function together(conditions: Conditions, backend = verdict): Verdict {
  const { asked, judged } = judgedConditions(conditions);
  const there = backend(asked);
  return there === 'served' && judged !== undefined ? verdict(judged) : there;
}

const ETAGS = [undefined, '"abc"', '"other"', '*'];
const DATES = [undefined, at(-2), at(0), at(2)];

describe('every combination', () => {
  const all = ETAGS.flatMap((ifMatch) =>
    ETAGS.flatMap((ifNoneMatch) =>
      DATES.flatMap((ifUnmodifiedSince) =>
        DATES.map((ifModifiedSince) => ({ ifMatch, ifNoneMatch, ifUnmodifiedSince, ifModifiedSince })),
      ),
    ),
  );

  it(`of ${all.length} is judged by the book`, () => {
    for (const conditions of all)
      expect([conditions, together(conditions)]).toEqual([conditions, byTheBook(conditions)]);
  });

  it('is judged so whether or not the backend counts fractions of a second', () => {
    for (const conditions of all)
      expect([conditions, together(conditions, verdictWithFractions)]).toEqual([conditions, byTheBook(conditions)]);
  });

  it('asks the backend one condition at most', () => {
    for (const conditions of all) {
      const { asked, judged } = judgedConditions(conditions);
      const given = Object.values(asked).filter((value) => value !== undefined);
      expect(given.length).toBeLessThanOrEqual(1);
      // What was judged there is judged here again, or alone.
      if (given.length > 0 && judged !== undefined) expect(judged).toEqual(asked);
    }
  });
});

describe('a single condition', () => {
  it.each<[Conditions, Conditions]>([
    [{}, {}],
    [{ ifMatch: '"abc"' }, { ifMatch: '"abc"' }],
    [{ ifMatch: 'abc-12' }, { ifMatch: 'abc-12' }],
    [{ ifMatch: '"abc"', ifUnmodifiedSince: at(-9) }, { ifMatch: '"abc"' }],
    [{ ifNoneMatch: '"abc"', ifModifiedSince: at(9) }, { ifNoneMatch: '"abc"' }],
    [{ ifModifiedSince: 'yesterday' }, {}],
    [{ ifUnmodifiedSince: '0' }, {}],
  ])('%j goes to the backend', (conditions, asked) => {
    expect(judgedConditions(conditions)).toEqual({ asked, judged: undefined });
  });

  it.each([{ ifModifiedSince: 'Monday, 06-May-24 07:08:09 GMT' }, { ifModifiedSince: '2024-05-06T07:08:09Z' }])(
    '%j goes to the backend in the form that all read, and is judged here again',
    (conditions) => {
      const asked = { ifModifiedSince: 'Mon, 06 May 2024 07:08:09 GMT' };
      expect(judgedConditions(conditions)).toEqual({ asked, judged: asked });
    },
  );

  it.each([{ ifMatch: '*' }, { ifNoneMatch: '*' }])('%j is judged here alone', (judged) => {
    expect(judgedConditions(judged)).toEqual({ asked: {}, judged });
  });

  it('of If-Unmodified-Since is judged here alone', () => {
    const judged = { ifUnmodifiedSince: at(0) };
    expect(judgedConditions(judged)).toEqual({ asked: {}, judged });
  });
});

describe('lists and weak ETags', () => {
  it.each<[Conditions, Verdict]>([
    [{ ifMatch: '"other", "abc"' }, 'served'],
    [{ ifMatch: '"other","another"' }, 'PreconditionFailed'],
    [{ ifMatch: 'other, abc' }, 'served'],
    [{ ifMatch: 'W/"abc"' }, 'PreconditionFailed'],
    [{ ifMatch: '"other", *' }, 'served'],
    [{ ifMatch: '' }, 'PreconditionFailed'],
    [{ ifMatch: '"a,b", "abc"' }, 'served'],
    [{ ifMatch: '"a,abc"' }, 'PreconditionFailed'],
    [{ ifNoneMatch: '"other", "abc"' }, 'NotModified'],
    [{ ifNoneMatch: 'W/"abc"' }, 'NotModified'],
    [{ ifNoneMatch: 'W/"other", "another"' }, 'served'],
    [{ ifNoneMatch: ',,"abc"' }, 'NotModified'],
  ])('%j', (conditions, expected) => {
    expect(together(conditions)).toBe(expected);
  });

  it('of any kind end', () => {
    const piece = fc.constantFrom('"', ',', ' ', 'W/', '*', 'abc', '"abc"', '\t', '/');
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        together({ ifMatch: pieces.join('') });
        together({ ifNoneMatch: pieces.join('') });
      }),
    );
  });
});
