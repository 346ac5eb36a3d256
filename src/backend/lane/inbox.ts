import { type AnswerHead, malformed, readAnswerHead } from './answer-head.ts';
import { DONE } from './body.ts';
import type { BufferPair, ReadBuffers } from './read-buffers.ts';

/** The size of a buffer for heads. It holds a whole small answer as well, so that such an answer costs one read. */
const HEAD_BUFFER_BYTES = 32 * 1024;

/**
 * The buffers of one connection, between the socket that fills them and the reader of the answer's body. A chunk is the
 * reader's until its next pull (wire/message.ts), so there are two buffers for a body: while the reader holds one, the
 * socket fills the other, and then waits.
 */
export class Inbox {
  readonly #spare: ReadBuffers;
  /** Alternate from answer to answer: the reader may still hold the last answer's bytes. */
  #heads: BufferPair = [Buffer.allocUnsafeSlow(HEAD_BUFFER_BYTES), Buffer.allocUnsafeSlow(HEAD_BUFFER_BYTES)];
  #headBytes = 0;
  /** For a body; taken from `#spare` when the first read of one needs it. */
  #pair: BufferPair | undefined;
  /** The buffer that the socket reads into. */
  #filling: Buffer | undefined;
  /** The buffer whose bytes the reader has. */
  #held: Buffer | undefined;
  #queued: { readonly data: Buffer; readonly owner: Buffer | undefined } | undefined;
  #reader: PromiseWithResolvers<IteratorResult<Buffer>> | undefined;

  constructor(spare: ReadBuffers) {
    this.#spare = spare;
  }

  /** What came and was not pulled yet. */
  get queued(): Buffer | undefined {
    return this.#queued?.data;
  }

  /** Whether the reader waits for the next chunk. */
  get isAwaited(): boolean {
    return this.#reader !== undefined;
  }

  /** Where the socket reads its next bytes of a head into. */
  bufferForHead(): Buffer {
    this.#filling = this.#heads[0];
    return this.#headBytes === 0 ? this.#heads[0] : this.#heads[0].subarray(this.#headBytes);
  }

  /** Where the socket reads its next bytes of a body into. */
  bufferForBody(): Buffer {
    this.#pair ??= this.#spare.take();
    const [first, second] = this.#pair;
    // With one buffer queued and the other held, the socket stands still until the held one is let go.
    const free = first !== this.#held && first !== this.#queued?.owner;
    this.#filling = free || second === this.#queued?.owner ? first : second;
    return this.#filling;
  }

  /** The last read's bytes. */
  filled(bytes: number): Buffer {
    return (this.#filling as Buffer).subarray(0, bytes);
  }

  /**
   * Adds the last read's bytes to the head. Interim answers (1xx) are passed over.
   * @returns the answer's head once it is whole, and the bytes after it
   * @throws Error with code ANSWER_MALFORMED
   */
  readHead(bytes: number): { readonly head: AnswerHead; readonly body: Buffer } | undefined {
    const buffer = this.#heads[0];
    this.#headBytes += bytes;
    for (;;) {
      const end = buffer.subarray(0, this.#headBytes).indexOf('\r\n\r\n');
      if (end === -1) {
        if (this.#headBytes === buffer.length) malformed('head too large');
        return undefined;
      }
      const head = readAnswerHead(buffer.toString('latin1', 0, end));
      if (head.status === 101) malformed('upgrade');
      if (head.status >= 200) return { head, body: buffer.subarray(end + 4, this.#headBytes) };
      buffer.copyWithin(0, end + 4, this.#headBytes);
      this.#headBytes -= end + 4;
    }
  }

  /** The answer is whole: the next head gets another buffer. */
  endAnswer(): void {
    this.#heads = [this.#heads[1], this.#heads[0]];
    this.#headBytes = 0;
  }

  /** Hands body data to the reader, or queues it. `copied`: the data lies in no buffer that the socket reads into. */
  deliver(data: Buffer, copied: boolean): void {
    const owner = copied ? undefined : this.#filling;
    const reader = this.#reader;
    if (reader === undefined) {
      this.#queued = { data, owner };
      return;
    }
    this.#reader = undefined;
    this.#held = owner;
    reader.resolve({ done: false, value: data });
  }

  /** The reader pulls: what it had may be overwritten. Returns what is queued, if anything. */
  pull(): Buffer | undefined {
    const queued = this.#queued;
    this.#queued = undefined;
    this.#held = queued?.owner;
    return queued?.data;
  }

  /** The reader waits for what comes next. */
  wait(): Promise<IteratorResult<Buffer>> {
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /** Tells a waiting reader that the body is over. */
  endReader(): void {
    this.#reader?.resolve(DONE);
    this.#reader = undefined;
  }

  failReader(thrown: unknown): void {
    this.#reader?.reject(thrown);
    this.#reader = undefined;
  }

  /** The reader wants no more: nothing is held or queued for it. */
  drop(): void {
    this.#held = undefined;
    this.#queued = undefined;
    this.endReader();
  }

  /** Gives the buffers of a body to others. Only once nobody reads them any more. */
  giveBuffers(): void {
    if (this.#pair !== undefined) this.#spare.give(this.#pair);
    this.#pair = undefined;
  }

  /**
   * Lets go of the answer while its reader may still have the bytes of one buffer: the buffers are for nobody else.
   * @returns a copy of what was queued
   */
  abandon(): Buffer | undefined {
    const kept = this.#queued && Buffer.from(this.#queued.data);
    this.#queued = undefined;
    this.#pair = undefined;
    return kept;
  }
}
