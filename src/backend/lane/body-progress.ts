import type { Framing } from './answer-head.ts';
import { ChunkedBody } from './chunked-body.ts';

/** Counts how much of an answer's body has arrived, and finds where in the connection's bytes the body ends. */
export class BodyProgress {
  readonly #chunks: ChunkedBody | undefined;
  /**
   * The length of a body that has a Content-Length, and below how many of its bytes are still to come; both in bytes.
   */
  readonly #wholeBytes: number;
  #restBytes: number;
  #overran = false;

  constructor(framing: Framing) {
    this.#chunks = framing.kind === 'chunked' ? new ChunkedBody() : undefined;
    this.#wholeBytes = framing.kind === 'length' ? framing.bytes : 0;
    this.#restBytes = this.#wholeBytes;
  }

  /** Whether the body comes in chunks; then nobody knows how many bytes are left. */
  get chunked(): boolean {
    return this.#chunks !== undefined;
  }

  /** How many bytes of a body with a Content-Length have arrived. */
  get hadBytes(): number {
    return this.#wholeBytes - this.#restBytes;
  }

  /** How many bytes of a body with a Content-Length are still to come. */
  get restBytes(): number {
    return this.#restBytes;
  }

  get complete(): boolean {
    return this.#chunks?.done ?? this.#restBytes === 0;
  }

  /**
   * Whether bytes arrived after the end of the body. Nobody knows to which message they belong, so the connection must
   * not be used again.
   */
  get overran(): boolean {
    return this.#overran;
  }

  /**
   * Takes the next bytes of the connection.
   * @returns the body's data in them: a copy if the body comes in chunks, else a part of `bytes`
   * @throws Error with code ANSWER_MALFORMED
   */
  take(bytes: Buffer): Buffer {
    if (this.#chunks !== undefined) {
      const { data, consumedBytes } = this.#chunks.push(bytes);
      if (consumedBytes < bytes.length) this.#overran = true;
      return data;
    }
    const fits = bytes.length <= this.#restBytes;
    const data = fits ? bytes : bytes.subarray(0, this.#restBytes);
    if (!fits) this.#overran = true;
    this.#restBytes -= data.length;
    return data;
  }
}
