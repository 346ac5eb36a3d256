import fc from 'fast-check';
import { QUICK } from './quick.ts';

/**
 * fast-check with the seed of this run: `npm test` draws one, prints it and sets it for every process, so that a run
 * can be repeated whole. A bare `vitest run` leaves it to fast-check, which prints the seed of what failed.
 */
const seed = process.env.SEALGATE_TEST_SEED;
if (seed) fc.configureGlobal({ seed: Number(seed) });

/** What fast-check tries of its own accord. */
const LEAST_RUNS = 100;

/** How many examples a property is tried with that is worth `full` of them: a tenth in `npm run check`. */
export function runs(full: number): number {
  return QUICK ? Math.min(full, Math.max(LEAST_RUNS, Math.ceil(full / 10))) : full;
}

export default fc;
