import type { Framing } from './answer-head.ts';
import { ChunkedBody } from './chunked-body.ts';

/** How much of an answer's body has come, and where in the bytes of the connection it ends. */
export class BodyProgress {
  readonly #chunks: ChunkedBody | undefined;
  /** Of a body with a length: all of it, and what has not come yet. */
  readonly #wholeBytes: number;
  #restBytes: number;
  #overran = false;

  constructor(framing: Framing) {
    this.#chunks = framing.kind === 'chunked' ? new ChunkedBody() : undefined;
    this.#wholeBytes = framing.kind === 'length' ? framing.bytes : 0;
    this.#restBytes = this.#wholeBytes;
  }

  /** Whether the body comes in chunks, so that nobody knows how much of it is left. */
  get chunked(): boolean {
    return this.#chunks !== undefined;
  }

  /** How many bytes of a body with a length came. */
  get hadBytes(): number {
    return this.#wholeBytes - this.#restBytes;
  }

  /** How many bytes of a body with a length are still to come. */
  get restBytes(): number {
    return this.#restBytes;
  }

  get complete(): boolean {
    return this.#chunks?.done ?? this.#restBytes === 0;
  }

  /** Whether bytes came that lie past the body's end, so that nobody knows whose they are. */
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
