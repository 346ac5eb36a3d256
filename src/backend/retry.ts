import { setTimeout as sleepMilliseconds } from 'node:timers/promises';

/**
 * The first wait, which doubles up to the longest one. A backend that restarts is back within the sum of a few waits.
 */
const FIRST_WAIT_SECONDS = 0.05;
const LONGEST_WAIT_SECONDS = 2;

/**
 * Returns how many seconds to wait before the next attempt. The full jitter spreads out gateways that lost the same
 * backend at once.
 * @param attempt how many attempts have failed, less one
 * @param random returns a number in [0, 1)
 */
export function retryWaitSeconds(attempt: number, random: () => number): number {
  return random() * Math.min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** attempt);
}

/** Waits for this many seconds; rejects if the signal aborts. */
export type Sleep = (seconds: number, signal: AbortSignal | undefined) => Promise<void>;

export const sleep: Sleep = async (seconds, signal) => {
  await sleepMilliseconds(seconds * 1_000, undefined, signal === undefined ? {} : { signal });
};
