import { describe, expect, it } from 'vitest';
import type { OperationContext } from '../../../src/pipeline/context.ts';
import { getObject } from '../../../src/pipeline/read/get.ts';
import { putObject } from '../../../src/pipeline/write/put.ts';
import type { BucketPolicy } from '../../../src/tenants/bucket-policy.ts';
import { pattern } from '../../devstore/started.ts';
import { BUCKET, bodyOf, getOf, type InProcess, inProcess, putOf, refusalOf, verifiedBody } from '../in-process.ts';

const MIB = 1024 * 1024;

/** Gave way so far, by kind. */
type GaveWay = ('download' | 'upload')[];

/** Few connections, and a lane that looks often at who is slow. */
async function crowded(connections: number): Promise<{ readonly stand: InProcess; readonly gaveWay: GaveWay }> {
  const gaveWay: GaveWay = [];
  const observer = {
    answered: () => undefined,
    failed: () => undefined,
    retried: () => undefined,
    gaveWay: (kind: 'download' | 'upload') => gaveWay.push(kind),
  };
  return { stand: await inProcess({ backend: { connections, tickMilliseconds: 5, observer } }), gaveWay };
}

async function put(stand: InProcess, key: string, bytes: Buffer, policy: Partial<BucketPolicy>): Promise<void> {
  await putObject(putOf(key), verifiedBody(bytes), stand.context(policy));
}

/** The same request, made by one tenant's client. */
function madeBy(tenant: string, context: OperationContext): OperationContext {
  const sharer = { tenant, client: '192.0.2.1' };
  return { ...context, store: context.store.sharedBy(sharer, context.budget) };
}

/** A download of which the first piece was taken, and its rest. */
async function begun(stand: InProcess, policy: Partial<BucketPolicy>, over: Parameters<typeof getOf>[1] = {}) {
  const content = await getObject(getOf('large', over), stand.context(policy));
  const pieces = (content.body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  const first = await pieces.next();
  const had = [Buffer.from(first.value as Buffer)];
  return {
    rest: async () => {
      for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
        had.push(Buffer.from(next.value));
      }
      return Buffer.concat(had);
    },
  };
}

describe.each([
  ['sealed', {}],
  ['plain', { protection: 'none' }],
] as const)('a slow download of a %s object', (_what, policy) => {
  it('gives its connection to who waits, and goes on where it was', async () => {
    const { stand, gaveWay } = await crowded(1);
    const whole = pattern(8 * MIB);
    await put(stand, 'large', whole, policy);
    await put(stand, 'small', pattern(300_000), policy);
    stand.asked();
    for (const range of [undefined, { kind: 'from', first: 1_000_001, last: 7_000_000 } as const]) {
      const slow = await begun(stand, policy, { range });
      const other = await getObject(getOf('small'), stand.context(policy)).then(bodyOf);
      expect(other.equals(pattern(300_000))).toBe(true);
      const expected = range === undefined ? whole : whole.subarray(range.first, range.last + 1);
      expect((await slow.rest()).equals(expected)).toBe(true);
    }
    expect(gaveWay).toEqual(['download', 'download']);
    expect(stand.asked().filter((line) => line === `GET /${BUCKET}/large`)).toHaveLength(4);
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('takes turns with others as slow', async () => {
    const { stand, gaveWay } = await crowded(1);
    const whole = pattern(3 * MIB);
    await put(stand, 'large', whole, policy);
    const all = await Promise.all(Array.from({ length: 6 }, () => begun(stand, policy)));
    expect(gaveWay.length).toBeGreaterThanOrEqual(5);
    for (const slow of await Promise.all(all.map(({ rest }) => rest()))) expect(slow.equals(whole)).toBe(true);
  });

  it('ends, and never as if it were whole, when the object is another one by then', async () => {
    const { stand, gaveWay } = await crowded(1);
    await put(stand, 'large', pattern(8 * MIB), policy);
    const slow = await begun(stand, policy);
    await getObject(getOf('large', { range: { kind: 'from', first: 0, last: 9 } }), stand.context(policy)).then(bodyOf);
    expect(gaveWay).toEqual(['download']);
    await put(stand, 'large', pattern(8 * MIB + 1), policy);
    const rest = slow.rest();
    expect(await refusalOf(rest)).toBe('SlowDown');
    expect(stand.handling.memory.reservedBytes).toBe(0);
  });

  it('keeps its connection while nobody waits', async () => {
    const { stand, gaveWay } = await crowded(2);
    const whole = pattern(8 * MIB);
    await put(stand, 'large', whole, policy);
    const slow = await begun(stand, policy);
    for (let round = 0; round < 30; round++) {
      await getObject(getOf('large', { range: { kind: 'suffix', bytes: 9 } }), stand.context(policy)).then(bodyOf);
    }
    expect((await slow.rest()).equals(whole)).toBe(true);
    expect(gaveWay).toEqual([]);
  });
});

describe('a slow upload', () => {
  it('ends with RequestTimeout for a tenant that has less and waits, and for no other', async () => {
    const { stand, gaveWay } = await crowded(4);
    const go = Promise.withResolvers<void>();
    const upload = (tenant: string, key: string, late?: () => Promise<void>) => {
      const body = verifiedBody(pattern(MIB), { ...(late && { late }) });
      return putObject(putOf(key), body, madeBy(tenant, stand.context()));
    };
    const held = () => stand.connection.waiting;
    // All bytes but the end: the sealer waits for the proof, the backend for the rest.
    const slow = [1, 2, 3, 4].map((at) => upload('a', `a${at}`, () => go.promise));
    await expect.poll(held).toBe(1); // the fourth waits though one connection is free
    const second = upload('b', 'b', () => go.promise);
    const third = upload('c', 'c');
    const outcomes = slow.map((one) => refusalOf(one));
    expect(await refusalOf(third)).toBe('none');
    go.resolve();
    expect(await refusalOf(second)).toBe('none');
    expect((await Promise.all(outcomes)).sort()).toEqual(['RequestTimeout', 'none', 'none', 'none']);
    expect(gaveWay).toEqual(['upload']);
  });
});
