import { type AnswerHead, malformed, readAnswerHead } from './answer-head.ts';
import { DONE } from './body.ts';
import type { BufferPair, ReadBuffers } from './read-buffers.ts';

/** The size of a buffer for heads, in bytes. A small answer fits in whole, so that it costs one read. */
const HEAD_BUFFER_BYTES = 32 * 1024;

/** The size of a buffer for what comes although reading is paused, in bytes: the most that a TLS record holds. */
const OVERFLOW_BYTES = 16 * 1024;

/**
 * The buffers of one connection, between the socket that fills them and the reader of the answer's body. A chunk
 * belongs to the reader until its next pull (wire/message.ts). Therefore a body has two buffers: while the reader holds
 * one, the socket fills the other, and then stops reading until the reader pulls.
 *
 * A TLS socket cannot stop at once: what it has decrypted already it hands over all the same, some 64 KiB. That goes
 * into buffers of its own, and waits in line.
 */
export class Inbox {
  readonly #spare: ReadBuffers;
  /**
   * Two buffers for heads that alternate from answer to answer, because the reader may still hold bytes of the last
   * answer.
   */
  #heads: BufferPair = [Buffer.allocUnsafeSlow(HEAD_BUFFER_BYTES), Buffer.allocUnsafeSlow(HEAD_BUFFER_BYTES)];
  #headBytes = 0;
  /** The two buffers for a body. They are taken from `#spare` at the first read of a body. */
  #pair: BufferPair | undefined;
  /** The buffer that the socket reads into now. */
  #filling: Buffer | undefined;
  /** The buffer whose bytes the reader holds now. */
  #held: Buffer | undefined;
  /** What arrived and was not pulled yet, in the order of the body. Over TCP it is one piece at most. */
  #queue: { readonly data: Buffer; readonly owner: Buffer | undefined }[] = [];
  #reader: PromiseWithResolvers<IteratorResult<Buffer>> | undefined;

  readonly #overruns: boolean;

  /** @param overruns whether bytes may come although reading is paused, as over TLS */
  constructor(spare: ReadBuffers, overruns: boolean) {
    this.#spare = spare;
    this.#overruns = overruns;
  }

  /** Whether anything arrived that was not pulled yet. */
  get hasQueued(): boolean {
    return this.#queue.length > 0;
  }

  /** Whether the reader waits for the next chunk. */
  get isAwaited(): boolean {
    return this.#reader !== undefined;
  }

  /** Returns the buffer into which the socket reads its next bytes of a head. */
  bufferForHead(): Buffer {
    this.#filling = this.#heads[0];
    return this.#headBytes === 0 ? this.#heads[0] : this.#heads[0].subarray(this.#headBytes);
  }

  /** Returns the buffer into which the socket reads its next bytes of a body. */
  bufferForBody(): Buffer {
    this.#pair ??= this.#spare.take();
    const [first, second] = this.#pair;
    if (!this.#isTaken(first)) this.#filling = first;
    else if (!this.#isTaken(second)) this.#filling = second;
    else if (this.#overruns) this.#filling = Buffer.allocUnsafeSlow(OVERFLOW_BYTES);
    // While one buffer is queued and the reader holds the other, the socket is paused. It resumes when the reader lets
    // go of its buffer, and reads into that.
    else this.#filling = this.#isQueued(second) ? first : second;
    return this.#filling;
  }

  #isQueued(buffer: Buffer): boolean {
    return this.#queue.some(({ owner }) => owner === buffer);
  }

  #isTaken(buffer: Buffer): boolean {
    return buffer === this.#held || this.#isQueued(buffer);
  }

  /** Returns the bytes that the last read brought into the buffer. */
  filled(bytes: number): Buffer {
    return (this.#filling as Buffer).subarray(0, bytes);
  }

  /**
   * Adds the bytes of the last read to the head. Interim answers (1xx) are skipped.
   * @param bytes how many bytes the last read brought
   * @returns the answer's head once it is complete, and the bytes after it; undefined before that
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

  /** Must be called when the answer has arrived whole: the next head is read into the other buffer. */
  endAnswer(): void {
    this.#heads = [this.#heads[1], this.#heads[0]];
    this.#headBytes = 0;
  }

  /**
   * Hands data of the body to the reader, or queues it if the reader is not waiting. `copied` says that the data lies
   * in no buffer that the socket reads into.
   */
  deliver(data: Buffer, copied: boolean): void {
    const owner = copied ? undefined : this.#filling;
    const reader = this.#reader;
    if (reader === undefined) {
      this.#queue.push({ data, owner });
      return;
    }
    this.#reader = undefined;
    this.#held = owner;
    reader.resolve({ done: false, value: data });
  }

  /**
   * Must be called when the reader pulls: the bytes that it had may be overwritten from then on. Returns the first that
   * is queued, if anything.
   */
  pull(): Buffer | undefined {
    const queued = this.#queue.shift();
    this.#held = queued?.owner;
    return queued?.data;
  }

  /** Returns a promise of the next chunk, which `deliver`, `endReader` or `failReader` settles. */
  wait(): Promise<IteratorResult<Buffer>> {
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  /** Tells a waiting reader that the body has ended. */
  endReader(): void {
    this.#reader?.resolve(DONE);
    this.#reader = undefined;
  }

  failReader(thrown: unknown): void {
    this.#reader?.reject(thrown);
    this.#reader = undefined;
  }

  /** Must be called when the reader wants no more: nothing is held or queued for it any longer. */
  drop(): void {
    this.#held = undefined;
    this.#queue = [];
    this.endReader();
  }

  /** Gives the body's buffers to other connections. Call it only once nobody can read them any more. */
  giveBuffers(): void {
    if (this.#pair !== undefined) this.#spare.give(this.#pair);
    this.#pair = undefined;
  }

  /**
   * Lets go of an answer whose reader may still hold the bytes of one buffer. The buffers are therefore not given to
   * other connections.
   * @returns a copy of what was queued; undefined if nothing was
   */
  abandon(): Buffer | undefined {
    const kept = this.hasQueued ? Buffer.concat(this.#queue.map(({ data }) => data)) : undefined;
    this.#queue = [];
    this.#pair = undefined;
    return kept;
  }
}
