import { releaseBuffer } from '../memory/release.ts';

/**
 * Blocks that no upload is using now. They are kept as long as the process runs. Blocks that wait for a slow backend
 * outlive V8's young generation, and to free thousands of them would cause full garbage collections again and again.
 */
const spareBlocks: Buffer[] = [];

/**
 * How many spare blocks are kept, about as many as a busy gateway uses at once. Others are given back to the system.
 */
const MAX_SPARE_BLOCKS = 64;

/**
 * Copies buffers end to end into blocks of one size, because each buffer that is written to a socket costs a system
 * call, and tags and headers are tiny. The total is known, so the last block has exactly the size of what is left. If
 * all fits in one block, that is a new buffer, which the caller may keep. Otherwise the caller gives each block back
 * after use, and it is filled again.
 */
export class BlockWriter {
  readonly #blockBytes: number;
  readonly #reused: boolean;
  #leftBytes: number;
  #block: Buffer | undefined;
  #filled = 0;
  #complete: Buffer[] = [];

  constructor({ totalBytes, blockBytes }: { readonly totalBytes: number; readonly blockBytes: number }) {
    this.#leftBytes = totalBytes;
    this.#blockBytes = blockBytes;
    this.#reused = totalBytes > blockBytes;
  }

  /** Appends a copy of some bytes. The caller may change them afterwards. */
  append(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      this.#block ??= this.#newBlock();
      const copied = bytes.copy(this.#block, this.#filled, at);
      if (copied === 0) throw new RangeError('There are more bytes than were announced.');
      at += copied;
      this.#filled += copied;
      if (this.#filled === this.#block.length) this.#close(this.#block);
    }
  }

  /** Appends copies of buffers, and frees the buffers' memory. Nobody else may hold them. */
  takeAll(buffers: readonly Buffer[]): void {
    for (const buffer of buffers) {
      this.append(buffer);
      releaseBuffer(buffer);
    }
  }

  /** Takes the blocks that are full. The caller may use them until it gives them back. */
  take(): readonly Buffer[] {
    const complete = this.#complete;
    if (complete.length > 0) this.#complete = [];
    return complete;
  }

  /** Gives back a block that nobody reads any more. */
  giveBack(block: Buffer): void {
    if (!this.#reused || spareBlocks.length >= MAX_SPARE_BLOCKS) return;
    // The last block may be a shorter view of a whole block.
    const whole = block.length === this.#blockBytes;
    spareBlocks.push(whole ? block : Buffer.from(block.buffer, 0, this.#blockBytes));
  }

  #newBlock(): Buffer {
    const bytes = Math.min(this.#blockBytes, this.#leftBytes);
    if (!this.#reused) return Buffer.allocUnsafe(bytes);
    const block = spareBlocks.pop() ?? Buffer.allocUnsafeSlow(this.#blockBytes);
    return bytes === block.length ? block : block.subarray(0, bytes);
  }

  #close(block: Buffer): void {
    this.#complete.push(block);
    this.#leftBytes -= block.length;
    this.#block = undefined;
    this.#filled = 0;
  }
}
