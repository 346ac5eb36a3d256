/**
 * The size of a buffer for one read of a large body, in bytes. By default node reads 64 KiB at a time, and every read
 * has a fixed cost. Reads of 256 KiB take a third of the CPU; reads of 1 MiB take hardly less than that
 * (bench/RESULTS.md).
 */
export const LARGE_READ_BYTES = 256 * 1024;

/** How many pairs are kept for later downloads. Any others are left to the garbage collector. */
const MAX_SPARE_PAIRS = 16;

/** Two buffers of LARGE_READ_BYTES: the socket fills one while the reader holds the other. */
export type BufferPair = readonly [Buffer, Buffer];

/**
 * Keeps the read buffers of finished downloads for the next ones, because the pages of a fresh buffer must be faulted
 * in every time.
 */
export class ReadBuffers {
  readonly #spare: BufferPair[] = [];

  take(): BufferPair {
    return this.#spare.pop() ?? [Buffer.allocUnsafeSlow(LARGE_READ_BYTES), Buffer.allocUnsafeSlow(LARGE_READ_BYTES)];
  }

  /** Takes a pair back. Call it only once nobody can read the buffers any more. */
  give(pair: BufferPair): void {
    if (this.#spare.length < MAX_SPARE_PAIRS) this.#spare.push(pair);
  }
}
