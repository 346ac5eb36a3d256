import { describe, expect, it } from 'vitest';
import {
  type DeletePlan,
  type EtagForm,
  planDelete,
  planPinned,
  planRead,
  planSource,
  planWrite,
  type ReadPlan,
  type WritePlan,
} from '../../../src/pipeline/conditions/plan.ts';
import { ALL_CAPABILITIES } from '../../../src/store/capabilities.ts';
import type { Conditions } from '../../../src/wire/conditions.ts';

/** Conditions × mode of ETags × what the store can do → how they are judged. */

const MD5 = '"5d41402abc4b2a76b9719d911017c592"';
/** As clients of mode `opaque` see what the backend calls MD5. */
const OPAQUE = '"5d41402abc4b2a76b9719d911017c592-0"';
const DATE = 'Mon, 06 May 2024 07:08:09 GMT';

describe('a read', () => {
  const rows: readonly [Conditions, opaque: ReadPlan['how'], md5: ReadPlan['how']][] = [
    [{}, 'no condition', 'no condition'],
    [{ ifModifiedSince: 'yesterday' }, 'no condition', 'no condition'],
    [{ ifMatch: OPAQUE }, 'ask the store', 'look first'],
    [{ ifNoneMatch: OPAQUE }, 'ask the store', 'look first'],
    [{ ifNoneMatch: 'bare' }, 'ask the store', 'look first'],
    [{ ifModifiedSince: DATE }, 'ask the store', 'look first'],
    [{ ifMatch: OPAQUE, ifUnmodifiedSince: DATE }, 'ask the store', 'look first'],
    [{ ifNoneMatch: OPAQUE, ifModifiedSince: DATE }, 'ask the store', 'look first'],
    [{ ifMatch: OPAQUE, ifNoneMatch: OPAQUE }, 'judge here', 'look first'],
    [{ ifMatch: OPAQUE, ifModifiedSince: DATE }, 'judge here', 'look first'],
    [{ ifMatch: `${OPAQUE}, "x"` }, 'judge here', 'look first'],
    [{ ifMatch: '*' }, 'judge here', 'look first'],
    [{ ifNoneMatch: `W/${OPAQUE}` }, 'judge here', 'look first'],
    [{ ifUnmodifiedSince: DATE }, 'judge here', 'look first'],
  ];

  it.each(rows)('%j: opaque %s, md5 %s', (conditions, opaque, md5) => {
    const plan = (etags: EtagForm, looksAnyway = false) => planRead(conditions, { etags, looksAnyway });
    expect([plan('opaque').how, plan('md5').how]).toEqual([opaque, md5]);
    for (const etags of ['opaque', 'md5'] as const) {
      expect(plan(etags, true).how).toBe('look first');
      const both = [plan(etags), plan(etags, true)];
      for (const { how, asked, judged, pinnedTo } of both) {
        // What the store was asked is judged here again; and it is asked only where the plan says so.
        if (how === 'ask the store') expect(asked).toEqual(judged);
        else expect(asked).toEqual({});
        expect(pinnedTo).toBeUndefined();
      }
      expect(both[0]?.judged).toEqual(both[1]?.judged);
    }
    expect(plan('opaque').judged === undefined).toBe(opaque === 'no condition');
  });

  it('speaks of ETags as the backend knows them, and of dates in one form', () => {
    const plan = (conditions: Conditions) => planRead(conditions, { etags: 'opaque', looksAnyway: false });
    expect(plan({ ifMatch: OPAQUE })).toMatchObject({ asked: { ifMatch: MD5 }, judged: { ifMatch: MD5 } });
    expect(plan({ ifNoneMatch: `W/${OPAQUE}, *` }).judged).toEqual({ ifNoneMatch: `W/${MD5}, *` });
    expect(plan({ ifModifiedSince: '2024-05-06T07:08:09Z' }).asked).toEqual({ ifModifiedSince: DATE });
  });

  it('of an object that was identified before asks for exactly that, and judges nothing', () => {
    expect(planPinned('e')).toEqual({ how: 'pinned', asked: { ifMatch: '"e"' }, judged: undefined, pinnedTo: 'e' });
  });
});

describe('the source of a copy', () => {
  it.each<[Conditions, ReturnType<typeof planSource>]>([
    [{}, { judged: undefined, unreadable: undefined }],
    [{ ifMatch: OPAQUE }, { judged: { ifMatch: MD5 }, unreadable: undefined }],
    [{ ifMatch: `W/${OPAQUE}, W/"x"` }, { judged: { ifMatch: `${MD5}, "x"` }, unreadable: undefined }],
    [{ ifUnmodifiedSince: DATE }, { judged: { ifUnmodifiedSince: DATE }, unreadable: undefined }],
    [{ ifUnmodifiedSince: 'soon' }, { judged: undefined, unreadable: 'ifUnmodifiedSince' }],
    [
      { ifUnmodifiedSince: 'soon', ifModifiedSince: 'late' },
      { judged: undefined, unreadable: 'ifUnmodifiedSince' },
    ],
    [
      { ifMatch: '"x"', ifUnmodifiedSince: 'soon' },
      { judged: { ifMatch: '"x"' }, unreadable: undefined },
    ],
    [
      { ifMatch: '"x"', ifModifiedSince: 'late' },
      { judged: { ifMatch: '"x"' }, unreadable: 'ifModifiedSince' },
    ],
    [
      { ifNoneMatch: '*', ifModifiedSince: 'late' },
      { judged: { ifNoneMatch: '*' }, unreadable: undefined },
    ],
  ])('%j', (conditions, plan) => {
    expect(planSource(conditions)).toEqual(plan);
  });
});

describe('a write', () => {
  const rows: readonly [Conditions, opaque: WritePlan['how'], md5: WritePlan['how']][] = [
    [{}, 'no condition', 'no condition'],
    [{ ifModifiedSince: DATE, ifUnmodifiedSince: DATE }, 'no condition', 'no condition'],
    [{ ifNoneMatch: '*' }, 'ask the store', 'ask the store'],
    [{ ifMatch: ' * ' }, 'ask the store', 'ask the store'],
    [{ ifMatch: OPAQUE }, 'ask the store', 'look first'],
    [{ ifNoneMatch: `${OPAQUE}, "x"` }, 'ask the store', 'look first'],
    [{ ifMatch: OPAQUE, ifNoneMatch: '*' }, 'ask the store', 'look first'],
  ];

  it.each(rows)('%j: opaque %s, md5 %s', (conditions, opaque, md5) => {
    for (const conditionalPuts of [true, false]) {
      for (const conditionalCompletes of [true, false]) {
        const capabilities = { conditionalPuts, conditionalCompletes };
        const plan = (etags: EtagForm, inHand = false) => planWrite(conditions, { etags, inHand, capabilities });
        expect([plan('opaque').how, plan('md5').how]).toEqual([opaque, md5]);
        expect([plan('opaque', true).how, plan('md5', true).how]).toEqual(['judge here', 'judge here']);
        for (const { heldOnComplete, heldOnPut } of [plan('opaque'), plan('md5'), plan('md5', true)]) {
          expect(heldOnPut).toBe(conditionalPuts || opaque === 'no condition');
          expect(heldOnComplete).toBe(conditionalCompletes || opaque === 'no condition');
        }
      }
    }
  });

  it('speaks of ETags as the backend knows them', () => {
    const { conditions } = planWrite(
      { ifMatch: OPAQUE, ifNoneMatch: 'x' },
      { etags: 'opaque', inHand: false, capabilities: ALL_CAPABILITIES },
    );
    expect(conditions).toEqual({ ifMatch: MD5, ifNoneMatch: 'x' });
  });
});

describe('a deletion', () => {
  it.each<[string | undefined, EtagForm, conditionalDeletes: boolean, DeletePlan]>([
    [undefined, 'md5', false, { how: 'no condition', ifMatch: undefined }],
    ['*', 'md5', true, { how: 'ask the store', ifMatch: '*' }],
    [OPAQUE, 'opaque', true, { how: 'ask the store', ifMatch: MD5 }],
    [OPAQUE, 'md5', true, { how: 'look first', ifMatch: MD5 }],
    [OPAQUE, 'opaque', false, { how: 'refuse', ifMatch: MD5 }],
    ['*', 'md5', false, { how: 'refuse', ifMatch: '*' }],
  ])('If-Match %s, %s, held to: %s', (condition, etags, conditionalDeletes, plan) => {
    expect(planDelete(condition, { etags, capabilities: { conditionalDeletes } })).toEqual(plan);
  });
});
