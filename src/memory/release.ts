/** Below this the collector is as good. */
const MIN_BYTES = 4096;

/**
 * Gives the memory of a buffer back at once; the buffer has length 0 afterwards. For whoever owns it alone and has done
 * with it. Segments and socket reads are fresh 64 KiB each: left to the collector, which comes by every few MiB, every
 * one of them is memory that the processor's caches do not hold (sealing costs twice the CPU), and those that lived
 * through two collections wait for a full one. A view of a larger buffer, or of node's pool, is left alone.
 */
export function releaseBuffer(buffer: Buffer): void {
  const memory = buffer.buffer as ArrayBuffer;
  if (buffer.length < MIN_BYTES || buffer.byteOffset !== 0 || memory.byteLength !== buffer.length) return;
  memory.transfer(0);
}
