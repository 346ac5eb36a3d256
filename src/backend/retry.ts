import { setTimeout as sleepMilliseconds } from 'node:timers/promises';

/** First wait, doubled each time up to the longest: a backend that restarts is back within the sum of a few. */
const FIRST_WAIT_SECONDS = 0.05;
const LONGEST_WAIT_SECONDS = 2;

/** Full jitter: many gateways that lost the same backend come back spread out. `random` gives [0, 1). */
export function retryWaitSeconds(attempt: number, random: () => number): number {
  return random() * Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** attempt);
}

export type Sleep = (seconds: number, signal: AbortSignal | undefined) => Promise<void>;

export const sleep: Sleep = async (seconds, signal) => {
  await sleepMilliseconds(seconds * 1_000, undefined, signal === undefined ? {} : { signal });
};
