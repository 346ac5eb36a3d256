import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { clientError } from '../../src/errors.ts';
import { getObject } from '../../src/pipeline/read/get.ts';
import { putObject } from '../../src/pipeline/write/put.ts';
import type { Store } from '../../src/store/store.ts';
import { pattern } from '../devstore/started.ts';
import { BUCKET, bodyOf, getOf, inProcess, putOf, refusalOf, verifiedBody } from './in-process.ts';

const BAD = clientError('BadDigest', 'The Content-MD5 you specified did not match what we received.');

describe('a bucket without protection', () => {
  // The sealer's footer is what holds a sealed upload back; here nothing is sealed.
  it.each([1, 100_000, 131_073, 1_000_000])('stores nothing of a bad upload of %i bytes', async (bytes) => {
    const { context, stored } = await inProcess();
    // The trailer that tells comes behind the last byte of the object, and may take its time.
    const body = verifiedBody(pattern(bytes), { refusal: BAD, late: () => delay(200) });
    const put = putObject(putOf('bad'), body, context({ protection: 'none' }));
    expect(await refusalOf(put)).toBe('BadDigest');
    expect(await stored.keys(BUCKET)).toEqual([]);
  });

  it.each([0, 1, 131_072, 131_073, 1_000_000])('keeps %i bytes as they are', async (bytes) => {
    const { context, stored } = await inProcess();
    await putObject(putOf('good'), verifiedBody(pattern(bytes)), context({ protection: 'none' }));
    expect((await stored.read(BUCKET, 'good')).bytes.equals(pattern(bytes))).toBe(true);
  });

  it.each([
    ['none', 1],
    ['none', 50],
    ['none', 65_540],
    ['mixed', 50],
    ['mixed', 300_000],
  ] as const)('%s: every edge of %s plain bytes can be asked for', async (policy, bytes) => {
    const { context, stored } = await inProcess();
    const whole = pattern(bytes);
    await stored.overwrite(BUCKET, 'plain', whole);
    const asker = context(policy === 'none' ? { protection: 'none' } : { mixed: true });
    for (const [first, last] of [
      [0, 0],
      [0, undefined],
      [bytes - 1, bytes - 1],
      [bytes >> 1, undefined],
      [Math.max(0, bytes - 5), bytes + 5],
    ] as const) {
      const content = await getObject(getOf('plain', { range: { kind: 'from', first, last } }), asker);
      expect(content.range).toEqual({ first, last: Math.min(last ?? bytes, bytes - 1) });
      expect((await bodyOf(content)).equals(whole.subarray(first, (last ?? bytes) + 1))).toBe(true);
    }
    const tail = await getObject(getOf('plain', { range: { kind: 'suffix', bytes: 3 } }), asker);
    expect((await bodyOf(tail)).equals(whole.subarray(Math.max(0, bytes - 3)))).toBe(true);
    const past = getObject(getOf('plain', { range: { kind: 'from', first: bytes, last: undefined } }), asker);
    expect(await refusalOf(past)).toBe('InvalidRange');
  });

  it('sealed objects that were there before the policy are opened, ranges too', async () => {
    const { context } = await inProcess();
    const whole = pattern(700_000);
    await putObject(putOf('sealed'), verifiedBody(whole), context());
    const asker = context({ protection: 'none' });
    for (const [first, last] of [
      [0, 9],
      [65_530, 65_545],
      [699_990, undefined],
    ] as const) {
      const content = await getObject(getOf('sealed', { range: { kind: 'from', first, last } }), asker);
      expect((await bodyOf(content)).equals(whole.subarray(first, last === undefined ? undefined : last + 1))).toBe(
        true,
      );
    }
    const past = { kind: 'from', first: 700_000, last: undefined } as const;
    expect(await refusalOf(getObject(getOf('sealed', { range: past }), asker))).toBe('InvalidRange');
  });
});

describe('a store that knows no ranges', () => {
  it.each([
    ['none', { protection: 'none' }],
    ['mixed', { mixed: true }],
  ] as const)('%s: gives no other bytes than were asked for', async (_, policy) => {
    const stand = await inProcess();
    const whole = pattern(200_000);
    await stand.stored.overwrite(BUCKET, 'plain', whole);
    await putObject(putOf('sealed'), verifiedBody(whole), stand.context());
    const context = stand.context(policy);
    const { store } = stand.tools;
    const rangeless = {
      limits: store.limits,
      get: (...[get, signal]: Parameters<Store['get']>) => store.get({ ...get, range: undefined }, signal),
      read: (...[get, signal]: Parameters<Store['read']>) => store.read({ ...get, range: undefined }, signal),
    } as Store;
    const asker = { ...context, store: rangeless };
    const range = { kind: 'from', first: 70_000, last: 70_099 } as const;
    expect(await refusalOf(getObject(getOf('plain', { range }), asker))).toBe('BackendError');
    const sealed = await bodyOf(await getObject(getOf('sealed', { range }), asker));
    expect(sealed.equals(whole.subarray(70_000, 70_100))).toBe(true);
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });
});
