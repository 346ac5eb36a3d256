import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** However busy the machine is, a probe is not given more time than this. */
const MOST_GRANTED_MILLISECONDS = 20_000;

/**
 * Polls until `probe` gives something other than false or undefined. Fails loudly after `withinMilliseconds`, in which
 * moments do not count when some process of the machine waited for a core: what is promised within a second is promised
 * where there is a machine to run on.
 */
export async function eventually<T>(
  withinMilliseconds: number,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const startedAt = performance.now();
  const crowdedBefore = crowdedMilliseconds();
  for (;;) {
    const result = await probe();
    if (result !== undefined && result !== false) return result;
    const granted = Math.min(crowdedMilliseconds() - crowdedBefore, MOST_GRANTED_MILLISECONDS);
    if (performance.now() - startedAt > withinMilliseconds + granted) {
      throw new Error(`not within ${withinMilliseconds} ms`);
    }
    await delay(10);
  }
}

/** For how long so far some process of this machine waited for a core; always 0 where Linux does not tell (PSI). */
function crowdedMilliseconds(): number {
  try {
    const microseconds = /^some .*total=(\d+)/m.exec(readFileSync('/proc/pressure/cpu', 'utf8'))?.[1];
    return Number(microseconds ?? 0) / 1000;
  } catch {
    return 0;
  }
}

/** An async iterable's values, sorted. */
export async function sorted(values: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const value of values) all.push(value);
  return all.sort();
}
