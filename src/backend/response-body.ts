import type { ByteSource } from '../wire/message.ts';

/**
 * How many bytes of one answer wait in memory before its connection is paused; one more read of the socket may come on
 * top.
 */
const PAUSE_AT_BYTES = 256 * 1024;
/** How few bytes wait when the connection is resumed. Reading in bursts costs less than pausing after every chunk. */
const RESUME_AT_BYTES = 64 * 1024;
/**
 * A rest of up to this size is read and dropped to keep the connection; for a larger one, a new connection is cheaper.
 */
export const DRAIN_BYTES = 64 * 1024;

/** What a body needs of the connection that carries it. */
export interface BodyFlow {
  pause(): void;
  resume(): void;
  /** Destroys the connection. */
  abort(): void;
}

/** The body of one answer. The connection pushes it and the reader pulls it, with a small bounded queue in between. */
export class ResponseBody implements ByteSource, AsyncIterator<Buffer> {
  readonly #flow: BodyFlow;
  /** How many bytes are still to come; undefined if the answer has no Content-Length. */
  #restBytes: number | undefined;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #paused = false;
  #dropping = false;
  #ended = false;
  #failure: { readonly thrown: unknown } | undefined;
  #reader: PromiseWithResolvers<IteratorResult<Buffer>> | undefined;

  constructor(flow: BodyFlow, contentLength: number | undefined) {
    this.#flow = flow;
    this.#restBytes = contentLength;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer>> {
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.length;
      if (this.#paused && this.#queuedBytes <= RESUME_AT_BYTES) {
        this.#paused = false;
        this.#flow.resume(); // this may push more data at once
      }
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure.thrown);
    if (this.#ended || this.#dropping) return Promise.resolve({ done: true, value: undefined });
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  async return(): Promise<IteratorResult<Buffer>> {
    this.discard();
    return { done: true, value: undefined };
  }

  discard(): void {
    if (this.#dropping) return;
    this.#dropping = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#reader?.resolve({ done: true, value: undefined });
    this.#reader = undefined;
    if (this.#ended || this.#failure !== undefined) return;
    if (this.#restBytes === undefined || this.#restBytes > DRAIN_BYTES) this.#flow.abort();
    else if (this.#paused) this.#flow.resume();
  }

  push(chunk: Buffer): void {
    if (this.#restBytes !== undefined) this.#restBytes -= chunk.length;
    if (this.#dropping) return;
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader.resolve({ done: false, value: chunk });
      return;
    }
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= PAUSE_AT_BYTES && !this.#paused) {
      this.#paused = true;
      this.#flow.pause();
    }
  }

  end(): void {
    this.#ended = true;
    this.#reader?.resolve({ done: true, value: undefined });
    this.#reader = undefined;
  }

  /** Ends the body with an error. What arrived before stays readable; after that the reader gets `thrown`. */
  fail(thrown: unknown): void {
    this.#failure = { thrown };
    this.#reader?.reject(thrown);
    this.#reader = undefined;
  }
}
