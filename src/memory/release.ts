/** Smaller buffers are left to the garbage collector, which is as good for them. */
const MIN_BYTES = 4096;

/**
 * Frees the memory of a buffer at once; the buffer has length 0 afterwards. Only the buffer's single owner may call it,
 * when it no longer needs the bytes. Segments and socket reads are fresh buffers of 64 KiB. The garbage collector runs
 * every few MiB, so without this each buffer is memory that the processor's caches do not hold (sealing then costs
 * twice the CPU), and buffers that survive two collections wait for a full one. A view of a larger buffer, or of node's
 * pool, is left alone.
 */
export function releaseBuffer(buffer: Buffer): void {
  const memory = buffer.buffer as ArrayBuffer;
  if (buffer.length < MIN_BYTES || buffer.byteOffset !== 0 || memory.byteLength !== buffer.length) return;
  memory.transfer(0);
}
