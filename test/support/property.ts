import fc from 'fast-check';

/**
 * fast-check with the seed of this run: `npm test` draws one, prints it and sets it for every process, so that a run
 * can be repeated whole. A bare `vitest run` leaves it to fast-check, which prints the seed of what failed.
 */
const seed = process.env.SEALGATE_TEST_SEED;
if (seed) fc.configureGlobal({ seed: Number(seed) });

export default fc;
