import { releaseBuffer } from '../memory/release.ts';

/**
 * Blocks that no upload is using. They live as long as the process: a block that waits for a slow backend outlives
 * V8's young generation, and freeing thousands of those is what makes it collect everything, again and again.
 */
const spareBlocks: Buffer[] = [];

/** More than a busy gateway has in use at once is given back to the system. */
const MAX_SPARE_BLOCKS = 64;

/**
 * Lays buffers end to end in blocks of one size, because each buffer that reaches a socket costs a system call, and
 * tags and headers are tiny. The total is known, so the last block is exact. What fits in one block is one fresh
 * buffer, the caller's for good; blocks of more are filled again once the caller gives them back.
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

  /** Copies: the argument is free afterwards. */
  append(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      this.#block ??= this.#newBlock();
      const copied = bytes.copy(this.#block, this.#filled, at);
      if (copied === 0) throw new RangeError('More bytes than were announced.');
      at += copied;
      this.#filled += copied;
      if (this.#filled === this.#block.length) this.#close(this.#block);
    }
  }

  /** Copies fresh buffers that nobody else holds, and releases them. */
  takeAll(buffers: readonly Buffer[]): void {
    for (const buffer of buffers) {
      this.append(buffer);
      releaseBuffer(buffer);
    }
  }

  /** The blocks that are full; the caller's, until it gives them back. */
  take(): readonly Buffer[] {
    const complete = this.#complete;
    if (complete.length > 0) this.#complete = [];
    return complete;
  }

  /** Nobody reads this block any more. */
  giveBack(block: Buffer): void {
    if (!this.#reused || spareBlocks.length >= MAX_SPARE_BLOCKS) return;
    // The last block is a view of one.
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
