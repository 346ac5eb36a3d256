/**
 * Lays buffers end to end in blocks of one size, because each buffer that reaches a socket costs a system call, and
 * tags and headers are tiny. The total is known, so the last block is exact and a small object is one buffer.
 */
export class BlockWriter {
  readonly #blockBytes: number;
  #leftBytes: number;
  #block: Buffer | undefined;
  #filled = 0;
  #complete: Buffer[] = [];

  constructor({ totalBytes, blockBytes }: { readonly totalBytes: number; readonly blockBytes: number }) {
    this.#leftBytes = totalBytes;
    this.#blockBytes = blockBytes;
  }

  /** Copies: the argument is free afterwards. */
  append(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      this.#block ??= Buffer.allocUnsafe(Math.min(this.#blockBytes, this.#leftBytes));
      const copied = bytes.copy(this.#block, this.#filled, at);
      if (copied === 0) throw new RangeError('More bytes than were announced.');
      at += copied;
      this.#filled += copied;
      if (this.#filled === this.#block.length) this.#close(this.#block);
    }
  }

  appendAll(buffers: readonly Buffer[]): void {
    for (const buffer of buffers) this.append(buffer);
  }

  /** The blocks that are full; the caller's from now on. */
  take(): readonly Buffer[] {
    const complete = this.#complete;
    if (complete.length > 0) this.#complete = [];
    return complete;
  }

  #close(block: Buffer): void {
    this.#complete.push(block);
    this.#leftBytes -= block.length;
    this.#block = undefined;
    this.#filled = 0;
  }
}
