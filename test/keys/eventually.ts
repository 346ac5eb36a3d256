import { setTimeout as delay } from 'node:timers/promises';

/** Polls until `probe` gives something other than false or undefined; fails loudly after `withinMilliseconds`. */
export async function eventually<T>(
  withinMilliseconds: number,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const deadline = performance.now() + withinMilliseconds;
  for (;;) {
    const result = await probe();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > deadline) throw new Error(`not within ${withinMilliseconds} ms`);
    await delay(10);
  }
}

/** An async iterable's values, sorted. */
export async function sorted(values: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const value of values) all.push(value);
  return all.sort();
}
