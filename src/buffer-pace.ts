import v8 from 'node:v8';
import vm from 'node:vm';

/**
 * Every segment and every socket read is a fresh 64 KiB buffer outside V8's heap. V8 answers that pressure with a full
 * mark-and-sweep every 64 MiB, which at 1 GiB/s costs as much as the cipher. These buffers die young, so a collection
 * of the young generation alone, asked for every few MiB that were moved, frees them for a tenth of the price and
 * keeps the resident set small (bench/RESULTS.md). V8 takes note of what was freed only after a while, on another
 * thread, hence far below its own 64 MiB.
 */
const PACE_BYTES = 4 * 1024 * 1024;

/**
 * @returns what the data path calls with the bytes of fresh buffers that it has used up. Where V8 does not lend its collector, it does
 *   nothing, and V8's own schedule stands.
 */
export function createBufferPace(): (movedBytes: number) => void {
  const collect = youngCollection();
  if (collect === undefined) return () => undefined;
  let moved = 0;
  return (movedBytes) => {
    moved += movedBytes;
    if (moved < PACE_BYTES) return;
    moved = 0;
    collect();
  };
}

function youngCollection(): (() => void) | undefined {
  try {
    v8.setFlagsFromString('--expose-gc');
    const gc: unknown = vm.runInNewContext('gc');
    if (typeof gc !== 'function') return undefined;
    return () => void gc({ type: 'minor' });
  } catch {
    return undefined;
  }
}
