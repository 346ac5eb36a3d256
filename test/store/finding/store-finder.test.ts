import { afterEach, describe, expect, it, vi } from 'vitest';
import { clientError, GatewayError } from '../../../src/errors.ts';
import { ASSUMED_CAPABILITIES } from '../../../src/store/capabilities.ts';
import type { Evidence, Examination } from '../../../src/store/finding/evidence.ts';
import type { Look } from '../../../src/store/finding/examine.ts';
import type { StoreOverrides } from '../../../src/store/finding/overrides.ts';
import { type Finding, StoreFinder } from '../../../src/store/finding/store-finder.ts';
import { describeFinding } from '../../../src/store/finding/words.ts';
import { EMBEDDED_STORE, KNOWN_STORES } from '../../../src/store/known-stores.ts';
import { HeaderList } from '../../../src/wire/headers.ts';
import type { IncomingResponse } from '../../../src/wire/message.ts';

const AT_ONCE: Evidence = {
  conditionalPuts: 'holds',
  matchesOwnEtag: 'holds',
  conditionalCompletes: 'holds',
  conditionalDeletes: 'broken',
  truthfulCompletes: 'holds',
  distinctFirstSlash: 'broken',
};
const HOLDS: Evidence = { ...AT_ONCE, tornUploadsVanish: 'holds' };

const examined = (evidence: Evidence, server = 'MinIO'): Examination => ({
  signs: [{ server, requestId: '' }],
  evidence,
});
const looks = (evidence: Evidence = HOLDS, server?: string): Look => {
  const { tornUploadsVanish: _, ...atOnce } = evidence;
  return { atOnce: examined(atOnce, server), whole: Promise.resolve(examined(evidence, server)) };
};
const away = () => new GatewayError('BackendUnavailable', 'away', { source: 'backend' });
const answer = (server: string, status = 200) =>
  ({ status, headers: new HeaderList(['Server', server]) }) as unknown as IncomingResponse;

const finders: StoreFinder[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const finder of finders.splice(0)) await finder.stop();
});

/** A finder over a store that looks like these, one look after the other; the last stays. */
function finderOf(sights: readonly (Look | Error | Promise<Look>)[], overrides: StoreOverrides = {}) {
  const told: Finding[] = [];
  let count = 0;
  const finder = new StoreFinder({
    look: async () => {
      const sight = sights[Math.min(count++, sights.length - 1)] as Look;
      if (sight instanceof Error) throw sight;
      return sight;
    },
    knownStores: KNOWN_STORES,
    overrides,
    onFinding: (finding) => told.push(finding),
    random: () => 0.5,
    periods: { againMilliseconds: 1000, retryMilliseconds: 10, longestRetryMilliseconds: 40 },
  });
  finders.push(finder);
  return { finder, told, looks: () => count };
}

describe('until the store has shown what it does', () => {
  it('the gateway relies on nothing, and what it would refuse may be tried again', async () => {
    const { finder, told } = finderOf([away()]);
    expect(finder.capabilities).toEqual(ASSUMED_CAPABILITIES);
    expect(finder.pending).toEqual(expect.arrayContaining(['conditionalPuts', 'conditionalDeletes']));
    await finder.start();
    expect([finder.capabilities, finder.finding.state, told]).toEqual([ASSUMED_CAPABILITIES, 'looking', []]);
  });

  it('it goes on trying while the store is away', async () => {
    const { finder, told, looks: count } = finderOf([away(), away(), away(), looks()]);
    await finder.start();
    await expect.poll(() => told.map(({ store }) => store.name)).toEqual(['minio']);
    expect([count(), finder.pending]).toEqual([4, []]);
  });

  it('what is seen at once counts at once, and an upload that broke off when there was time to see it', async () => {
    const later = Promise.withResolvers<Examination>();
    const { finder, told } = finderOf([{ atOnce: examined(AT_ONCE), whole: later.promise }]);
    await finder.start();
    expect(finder.capabilities).toMatchObject({ conditionalPuts: true, tornUploadsVanish: false });
    expect(told).toEqual([]);
    later.resolve(examined(HOLDS));
    await expect.poll(() => finder.capabilities.tornUploadsVanish).toBe(true);
    expect(told.map(describeFinding)).toEqual([
      'MinIO, which ignores conditions on deletions, makes paths of keys, drops the first slash of a key',
    ]);
  });
});

it('a key that may not write where the store would be tried leaves the gateway careful, and says why', async () => {
  const { finder, told } = finderOf([clientError('AccessDenied', 'no')]);
  await finder.start();
  expect([finder.capabilities, finder.pending]).toEqual([ASSUMED_CAPABILITIES, []]);
  expect(told.map(describeFinding)).toEqual([
    'the gateway could not try what this store does (AccessDenied), and relies on nothing',
  ]);
});

describe('a store that was found', () => {
  it('is looked at again, and what it does worse counts', async () => {
    vi.useFakeTimers();
    const { finder, told } = finderOf([looks(), looks({ ...HOLDS, conditionalPuts: 'broken' })]);
    await finder.start();
    await vi.advanceTimersByTimeAsync(10);
    expect(finder.capabilities.conditionalPuts).toBe(true);
    await vi.advanceTimersByTimeAsync(1000);
    expect(finder.capabilities).toMatchObject({ conditionalPuts: false, atomicCompletes: false });
    expect(told.map(({ store }) => store.name)).toEqual(['minio', 'unknown']);
  });

  it('does worse at once, and better only once the look is whole', async () => {
    vi.useFakeTimers();
    const whole = Promise.withResolvers<Examination>();
    const atOnce: Evidence = { ...AT_ONCE, conditionalPuts: 'broken', conditionalDeletes: 'holds' };
    const { finder } = finderOf([looks(), { atOnce: examined(atOnce), whole: whole.promise }]);
    await finder.start();
    await vi.advanceTimersByTimeAsync(1010);
    expect(finder.capabilities).toMatchObject({
      conditionalPuts: false,
      conditionalDeletes: false,
      tornUploadsVanish: true,
    });
    whole.resolve(examined({ ...atOnce, tornUploadsVanish: 'holds' }));
    await vi.advanceTimersByTimeAsync(1);
    expect(finder.capabilities).toMatchObject({ conditionalPuts: false, conditionalDeletes: true });
  });

  it('stays what it is while it is away', async () => {
    vi.useFakeTimers();
    const { finder, told } = finderOf([looks(), away()]);
    await finder.start();
    await vi.advanceTimersByTimeAsync(1500);
    expect([finder.finding.state, told.length]).toEqual(['found', 1]);
  });

  it('is nothing any more when its answers name another program, until that was tried', async () => {
    const second = Promise.withResolvers<Look>();
    const { finder, told } = finderOf([looks(), second.promise]);
    await finder.start();
    await expect.poll(() => told.length).toBe(1);
    finder.answered(answer('MinIO'));
    finder.answered(answer('nginx', 502)); // a proxy's own page
    expect(finder.finding.state).toBe('found');
    finder.answered(answer('VERSITYGW'));
    expect([finder.capabilities, finder.finding.state]).toEqual([ASSUMED_CAPABILITIES, 'looking']);
    expect(finder.pending).toContain('conditionalPuts');
    const broken = { ...HOLDS, tornUploadsVanish: 'broken', truthfulCompletes: 'broken' } as const;
    second.resolve(looks(broken, 'VERSITYGW'));
    await expect.poll(() => told.map(({ store }) => store.name)).toEqual(['minio', 'unknown', 'versitygw']);
    finder.answered(answer('MinIO')); // and back again
    expect(finder.finding.state).toBe('looking');
  });

  it('is two programs where another was heard behind its address, though the look met one of them alone', async () => {
    const { finder, looks: looked } = finderOf([looks()]);
    await finder.start();
    await expect.poll(() => finder.finding.store.name).toBe('minio');
    finder.answered(answer('VERSITYGW'));
    await expect.poll(() => [looked(), finder.finding.state]).toEqual([2, 'found']);
    expect(finder.finding.store.name).toBe('unknown');
    expect(finder.capabilities).toMatchObject({
      conditionalPuts: true,
      tornUploadsVanish: false,
      truthfulCompletes: false,
      atomicCompletes: false,
    });
    finder.answered(answer('MinIO'));
    finder.answered(answer('VERSITYGW')); // both are known by now
    expect([looked(), finder.finding.state]).toEqual([2, 'found']);
  });

  it('is not what a look saw that began before it was another one', async () => {
    const first = Promise.withResolvers<Examination>();
    const second = Promise.withResolvers<Look>();
    const { finder } = finderOf([{ atOnce: examined(AT_ONCE), whole: first.promise }, second.promise]);
    await finder.start();
    finder.answered(answer('VERSITYGW'));
    first.resolve(examined(HOLDS));
    await expect.poll(() => finder.finding.state).toBe('looking');
    expect(finder.capabilities).toEqual(ASSUMED_CAPABILITIES);
    second.resolve(looks({ ...HOLDS, tornUploadsVanish: 'broken' }, 'VERSITYGW'));
    await expect.poll(() => finder.finding.store.name).toBe('versitygw');
  });
});

describe('settings', () => {
  it('take the place of what is found, each for what it speaks of', async () => {
    const { finder } = finderOf([looks()], { careful: true, conditionalDeletes: true });
    expect(finder.pending).not.toContain('conditionalDeletes');
    await finder.start();
    await expect.poll(() => finder.finding.store.name).toBe('minio');
    expect(finder.capabilities).toMatchObject({
      tornUploadsVanish: false,
      truthfulCompletes: false,
      atomicCompletes: false,
      conditionalDeletes: true,
      conditionalCompletes: true,
      verbatimKeys: false,
    });
  });

  it('that say everything leave nothing to be tried', async () => {
    const all = { careful: false, conditionalUploads: true, conditionalDeletes: false, keys: 'names' } as const;
    const { finder, told, looks: count } = finderOf([looks()], all);
    await finder.start();
    finder.answered(answer('anything'));
    expect([count(), finder.pending, told.map(describeFinding)]).toEqual([
      0,
      [],
      ['what this store does is set, and was not tried'],
    ]);
    expect(finder.capabilities).toMatchObject({
      tornUploadsVanish: true,
      verbatimKeys: true,
      conditionalDeletes: false,
    });
  });
});

it('the embedded store is known from the start, and never tried', async () => {
  const look = vi.fn<() => Promise<Look>>();
  const finder = new StoreFinder({
    look,
    knownStores: KNOWN_STORES,
    overrides: { careful: true },
    certainly: EMBEDDED_STORE,
    onFinding: () => undefined,
    random: () => 0,
  });
  await finder.start();
  finder.answered(answer('sealgate-devstore'));
  expect([finder.finding.store, finder.pending]).toEqual([EMBEDDED_STORE, []]);
  expect(finder.capabilities).toEqual({
    ...EMBEDDED_STORE.capabilities,
    tornUploadsVanish: false,
    truthfulCompletes: false,
    atomicCompletes: false,
  });
  expect(look).not.toHaveBeenCalled();
});
