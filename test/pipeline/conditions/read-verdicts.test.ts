import { describe, expect, it } from 'vitest';
import { planRead } from '../../../src/pipeline/conditions/plan.ts';
import type { Conditions } from '../../../src/wire/conditions.ts';
import { formatHttpDate } from '../../../src/wire/dates.ts';
import { judge } from '../../../src/wire/judged-conditions.ts';
import fc from '../../support/property.ts';

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

const VERDICTS = { holds: 'served', failed: 'PreconditionFailed', 'not modified': 'NotModified' } as const;

function verdict(conditions: Conditions, object = OBJECT): Verdict {
  const { etag, lastModified } = object;
  return VERDICTS[judge(conditions, { etags: [etag], lastModified })];
}

/** versitygw compares fractions of a second, which no HTTP date has: the object is newer than its own Last-Modified. */
function verdictWithFractions(conditions: Conditions): Verdict {
  return verdict(conditions, { ...OBJECT, lastModified: new Date(MODIFIED.getTime() + 1000) });
}

const planned = (conditions: Conditions) => planRead(conditions, { etags: 'opaque', looksAnyway: false });

/** A backend that evaluates one plain condition rightly, as they all do; then all are judged here. */
function together(conditions: Conditions, backend = verdict): Verdict {
  const { asked, judged = {} } = planned(conditions);
  const there = backend(asked);
  return there === 'served' ? verdict(judged) : there;
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
      const given = Object.values(planned(conditions).asked).filter((value) => value !== undefined);
      expect(given.length).toBeLessThanOrEqual(1);
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
    expect(planned(conditions).asked).toEqual(asked);
  });

  it.each([{ ifModifiedSince: 'Monday, 06-May-24 07:08:09 GMT' }, { ifModifiedSince: '2024-05-06T07:08:09Z' }])(
    '%j goes to the backend in the form that all read',
    (conditions) => {
      expect(planned(conditions).asked).toEqual({ ifModifiedSince: 'Mon, 06 May 2024 07:08:09 GMT' });
    },
  );

  it.each([{ ifMatch: '*' }, { ifNoneMatch: '*' }, { ifUnmodifiedSince: at(0) }])(
    '%j is judged here alone',
    (conditions) => {
      expect(planned(conditions).asked).toEqual({});
    },
  );
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
