import { expect, it } from 'vitest';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { headObject } from '../../../src/pipeline/read/head.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import type { RangeRequest } from '../../../src/wire/range.ts';
import { pattern } from '../../devstore/started.ts';
import { bodyOf, getOf, headOf, type InProcess, inProcess, putOf, refusalOf, verifiedBody } from '../in-process.ts';

const BYTES = 100_000;
const WHOLE = { first: 0, last: BYTES - 1 };

const from = (first: number, last?: number): RangeRequest => ({ kind: 'from', first, last });
const suffix = (bytes: number): RangeRequest => ({ kind: 'suffix', bytes });

async function sizeOf(stand: InProcess, key: string, range: RangeRequest, beyondEnd?: 'whole') {
  const answer = await getObject(getOf(key, { range, beyondEnd }), stand.context());
  const head = await headObject(headOf(key, { range, beyondEnd }), stand.context());
  expect(head.range).toEqual(answer.range);
  return { range: answer.range, bytes: (await bodyOf(answer)).length };
}

it('a range that reaches beyond the end gets all of the object where the dialect says so, and is cut elsewhere', async () => {
  const stand = await inProcess();
  await putObject(putOf('known'), verifiedBody(pattern(BYTES)), stand.context());
  await putObject(putOf('large'), verifiedBody(pattern(BYTES), { declared: false }), stand.context());
  const beyond = [
    from(0, BYTES),
    from(BYTES - 1, BYTES),
    suffix(BYTES + 1),
    from(BYTES),
    from(BYTES, BYTES + 9),
    suffix(0),
  ];
  for (const key of ['known', 'large']) {
    for (const range of beyond) {
      expect(await sizeOf(stand, key, range, 'whole')).toEqual({ range: undefined, bytes: BYTES });
    }
    for (const range of [from(0, BYTES - 1), from(BYTES - 1), suffix(BYTES)]) {
      expect(await sizeOf(stand, key, range, 'whole')).toEqual(await sizeOf(stand, key, range));
    }
    expect(await sizeOf(stand, key, from(0, BYTES))).toEqual({ range: WHOLE, bytes: BYTES });
    for (const range of beyond.slice(3)) {
      expect(await refusalOf(getObject(getOf(key, { range }), stand.context()))).toBe('InvalidRange');
    }
  }
});
