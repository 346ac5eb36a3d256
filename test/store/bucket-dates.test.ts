import { expect, it } from 'vitest';
import { BucketDates } from '../../src/store/bucket-dates.ts';
import { ALL_CAPABILITIES } from '../../src/store/capabilities.ts';

const MADE = new Date('2026-01-02T03:04:05.678Z');
const LATER = new Date('2026-01-02T03:04:05.679Z');

/** A store that has one bucket. */
function stand({ lasting = true, seconds = 0 } = {}) {
  const state = { created: MADE, away: false, listings: 0, milliseconds: 0 };
  const list = async () => {
    state.listings++;
    state.milliseconds += seconds * 1000;
    if (state.away) throw new Error('away');
    return [{ name: 'b', created: state.created }];
  };
  const findings = { capabilities: { ...ALL_CAPABILITIES, lastingBucketDates: lasting }, pending: [] };
  const dates = new BucketDates({ buckets: { list } } as never, findings, () => state.milliseconds);
  return { state, dates };
}

it('asks the store once a second at most, for all who ask', async () => {
  const { state, dates } = stand();
  expect(await Promise.all([dates.of('b', 'lately'), dates.of('b', 'lately'), dates.of('c', 'lately')])).toEqual([
    MADE,
    MADE,
    undefined,
  ]);
  state.created = LATER;
  state.milliseconds = 999;
  expect([await dates.of('b', 'lately'), state.listings]).toEqual([MADE, 1]);
  state.milliseconds = 1000;
  expect([await dates.of('b', 'lately'), state.listings]).toEqual([LATER, 2]);
});

it('asks it at once where somebody must know, and believes that from then on', async () => {
  const { state, dates } = stand();
  await dates.of('b', 'lately');
  state.created = LATER;
  expect(await dates.of('b', 'now')).toBe(LATER);
  expect([await dates.of('b', 'lately'), state.listings]).toEqual([LATER, 2]);
});

it('asks a slow store more seldom', async () => {
  const { state, dates } = stand({ seconds: 1 });
  await dates.of('b', 'lately');
  state.milliseconds = 19_000;
  await dates.of('b', 'lately');
  expect(state.listings).toBe(1);
  state.milliseconds = 20_000;
  await dates.of('b', 'lately');
  expect(state.listings).toBe(2);
});

it('knows nothing where the store does not answer, and asks no more often then', async () => {
  const { state, dates } = stand();
  state.away = true;
  expect([await dates.of('b', 'lately'), await dates.of('b', 'lately'), state.listings]).toEqual([
    undefined,
    undefined,
    1,
  ]);
});

it('does not ask a store whose dates change', async () => {
  const { state, dates } = stand({ lasting: false });
  expect([await dates.of('b', 'now'), await dates.of('b', 'lately'), state.listings]).toEqual([
    undefined,
    undefined,
    0,
  ]);
});
