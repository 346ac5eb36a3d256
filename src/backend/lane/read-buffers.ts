/**
 * What one read of a socket may bring during a large body. Node reads 64 KiB at a time otherwise, and every read has a
 * fixed cost: 256 KiB takes a third of the CPU, 1 MiB hardly less (bench/RESULTS.md).
 */
export const LARGE_READ_BYTES = 256 * 1024;

/** Kept for the next download; what is beyond is left to the collector. */
const MAX_SPARE_PAIRS = 16;

/** Two buffers: one is read into while the reader holds the other. */
export type BufferPair = readonly [Buffer, Buffer];

/** Read buffers of finished downloads, for the next ones: a fresh one costs its page faults every time. */
export class ReadBuffers {
  readonly #spare: BufferPair[] = [];

  take(): BufferPair {
    return this.#spare.pop() ?? [Buffer.allocUnsafeSlow(LARGE_READ_BYTES), Buffer.allocUnsafeSlow(LARGE_READ_BYTES)];
  }

  /** Only once nobody can read them any more. */
  give(pair: BufferPair): void {
    if (this.#spare.length < MAX_SPARE_PAIRS) this.#spare.push(pair);
  }
}
