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
  #spare: Buffer | undefined;

  constructor({ totalBytes, blockBytes }: { readonly totalBytes: number; readonly blockBytes: number }) {
    this.#leftBytes = totalBytes;
    this.#blockBytes = blockBytes;
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

  appendAll(buffers: readonly Buffer[]): void {
    for (const buffer of buffers) this.append(buffer);
  }

  /** The blocks that are full; the caller's, until it gives them back. */
  take(): readonly Buffer[] {
    const complete = this.#complete;
    if (complete.length > 0) this.#complete = [];
    return complete;
  }

  /** A block that nobody reads any more is filled again: fresh ones of this size cost the kernel a page each. */
  giveBack(block: Buffer): void {
    if (block.length === this.#blockBytes) this.#spare = block;
  }

  #newBlock(): Buffer {
    const bytes = Math.min(this.#blockBytes, this.#leftBytes);
    const spare = this.#spare;
    if (spare?.length !== bytes) return Buffer.allocUnsafe(bytes);
    this.#spare = undefined;
    return spare;
  }

  #close(block: Buffer): void {
    this.#complete.push(block);
    this.#leftBytes -= block.length;
    this.#block = undefined;
    this.#filled = 0;
  }
}
