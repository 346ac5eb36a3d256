import { describe, expect, it } from 'vitest';
import { FairPlaces, type Place } from '../../src/shares/fair-places.ts';
import { FairShares } from '../../src/shares/fair-shares.ts';
import { MemoryBudget } from '../../src/shares/memory-budget.ts';
import { OWN_BUSINESS, type Sharer } from '../../src/shares/sharer.ts';
import fc from '../support/property.ts';

function sharer(tenant: string, client = '192.0.2.1'): Sharer {
  return { tenant, client };
}

/** Takes one at a time until nothing more fits. */
function takeAll(shares: FairShares, by: Sharer): number {
  let taken = 0;
  for (; shares.fits(by, 1); taken++) shares.take(by, 1);
  return taken;
}

describe('FairShares', () => {
  it('one client has 16 parts in 21, its tenant’s others less, another tenant still its own', () => {
    const shares = new FairShares(210);
    expect(takeAll(shares, sharer('a'))).toBe(160);
    expect(takeAll(shares, sharer('a', '192.0.2.2'))).toBeGreaterThan(0);
    expect(shares.takenByTenant('a')).toBeLessThanOrEqual(168); // four fifths
    expect(takeAll(shares, sharer('b'))).toBeGreaterThan(20);
    expect(shares.taken).toBeLessThan(210);
  });

  it('after three that took all they could and gave nothing back, a fourth still gets something', () => {
    const shares = new FairShares(256);
    const had = Array.from({ length: 4 }, (_, at) => takeAll(shares, sharer(`t${at}`)));
    expect(Math.min(...had)).toBeGreaterThan(0);
    expect(shares.taken).toBeLessThanOrEqual(256);
  });

  it.each([1, 2, 3])('of %i, one that holds nothing may have the last', (limit) => {
    const shares = new FairShares(limit);
    expect(takeAll(shares, sharer('a'))).toBe(Math.max(1, limit - 1));
    if (limit > 1) expect(takeAll(shares, sharer('b'))).toBe(1);
    expect(shares.taken).toBe(limit);
    expect(shares.fits(OWN_BUSINESS, 1)).toBe(false);
  });

  it('is even once everything was given back, whatever came before', () => {
    const step = fc.record({
      tenant: fc.constantFrom('a', 'b', 'c'),
      client: fc.constantFrom('x', 'y'),
      amount: fc.integer({ min: 0, max: 40 }),
      gives: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const shares = new FairShares(100);
        const held: { by: Sharer; amount: number }[] = [];
        for (const { tenant, client, amount, gives } of steps) {
          const by = sharer(tenant, client);
          const last = gives ? held.pop() : undefined;
          if (last !== undefined) shares.give(last.by, last.amount);
          else if (shares.fits(by, amount)) {
            shares.take(by, amount);
            held.push({ by, amount });
          }
          expect(shares.taken).toBe(held.reduce((sum, one) => sum + one.amount, 0));
          expect(shares.taken).toBeLessThanOrEqual(100);
        }
        for (const { by, amount } of held) shares.give(by, amount);
        expect([shares.taken, shares.takenByTenant('a'), shares.takenByClient(sharer('a', 'x'))]).toEqual([0, 0, 0]);
      }),
    );
  });
});

describe('FairPlaces', () => {
  it('go round the tenants, then round a tenant’s clients, then in the order in which requests came', async () => {
    const places = new FairPlaces(1);
    const held = [places.tryTake(sharer('a')) as Place];
    const order: string[] = [];
    const ask = (by: Sharer, name: string) =>
      places.take(by).then((place) => {
        order.push(name);
        held.push(place as Place);
      });
    const asked = [
      ask(sharer('a', 'x'), 'a x 1'),
      ask(sharer('a', 'x'), 'a x 2'),
      ask(sharer('a', 'x'), 'a x 3'),
      ask(sharer('a', 'y'), 'a y 1'),
      ask(sharer('b', 'z'), 'b z 1'),
      ask(sharer('b', 'z'), 'b z 2'),
    ];
    expect(places.waiting).toBe(6);
    for (let turns = 0; turns < 6; turns++) {
      held.pop()?.giveBack();
      await Promise.resolve();
      await Promise.resolve();
      await new Promise(setImmediate);
    }
    await Promise.all(asked);
    expect(order).toEqual(['a x 1', 'b z 1', 'a y 1', 'b z 2', 'a x 2', 'a x 3']);
    expect(places.waiting).toBe(0);
  });

  it('a tenant at its part waits while another is served at once', async () => {
    const places = new FairPlaces(21);
    const held: Place[] = [];
    for (let place = places.tryTake(sharer('a')); place !== undefined; place = places.tryTake(sharer('a'))) {
      held.push(place);
    }
    expect(held).toHaveLength(16);
    let served = false;
    const waiting = places.take(sharer('a')).then(() => {
      served = true;
    });
    const others = places.tryTake(sharer('b'));
    expect(others).toBeDefined();
    others?.giveBack();
    others?.giveBack();
    await new Promise(setImmediate);
    expect(served).toBe(false);
    held.pop()?.giveBack();
    await waiting;
    expect(places.shares.taken).toBe(16);
  });

  it('who gives up waiting is not served, and takes nobody’s place', async () => {
    const places = new FairPlaces(1);
    const place = places.tryTake(sharer('a'));
    const abort = new AbortController();
    const given = places.take(sharer('b'), abort.signal);
    const patient = places.take(sharer('b'));
    abort.abort();
    expect(await given).toBeUndefined();
    expect(places.waiting).toBe(1);
    place?.giveBack();
    (await patient)?.giveBack();
    expect(await places.take(sharer('b'), AbortSignal.abort())).toBeUndefined();
    expect([places.shares.taken, places.waiting]).toEqual([0, 0]);
  });

  it('who is served and gives up in one moment holds nothing', async () => {
    const places = new FairPlaces(1);
    const place = places.tryTake(sharer('a'));
    const abort = new AbortController();
    const waiting = places.take(sharer('b'), abort.signal);
    place?.giveBack();
    abort.abort();
    expect(await waiting).toBeUndefined();
    expect([places.shares.taken, places.waiting]).toEqual([0, 0]);
  });
});

describe('MemoryBudget', () => {
  it('takes to the byte, refuses past it, and counts refusals', () => {
    const budget = new MemoryBudget(100);
    const first = budget.reserve(60);
    const second = budget.reserve(40);
    expect(() => budget.reserve(1)).toThrowError(expect.objectContaining({ code: 'SlowDown' }));
    expect([budget.reservedBytes, budget.refused]).toEqual([100, 1]);
    first();
    first();
    expect(budget.reservedBytes).toBe(40);
    second();
    expect(budget.reservedBytes).toBe(0);
  });

  it('refuses a tenant what it keeps for others, in words of its own', () => {
    const budget = new MemoryBudget(100);
    const own = budget.of(sharer('a'));
    for (let taken = 0; taken < 70; taken += 10) own.reserve(10);
    expect(() => own.reserve(10)).toThrowError(
      expect.objectContaining({ code: 'SlowDown', message: expect.stringContaining('your part') }),
    );
    const release = budget.of(sharer('b')).reserve(10);
    expect(budget.reservedBytes).toBe(80);
    release();
    expect(budget.reservedBytes).toBe(70);
  });
});
