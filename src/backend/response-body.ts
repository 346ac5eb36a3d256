import type { ByteSource } from '../wire/message.ts';

/** What one answer may hold in memory before its connection is paused, beside one read of the socket. */
const PAUSE_AT_BYTES = 256 * 1024;
/** Where it goes on: reading in bursts costs less than pausing after every chunk. */
const RESUME_AT_BYTES = 64 * 1024;
/** Rests up to this are read and dropped to keep the connection; past it a new connection is cheaper. */
export const DRAIN_BYTES = 64 * 1024;

/** The connection as a body sees it. */
export interface BodyFlow {
  pause(): void;
  resume(): void;
  /** Destroys the connection. */
  abort(): void;
}

/** An answer's body: pushed by the connection, pulled by the reader, with a small bounded queue in between. */
export class ResponseBody implements ByteSource, AsyncIterator<Buffer> {
  readonly #flow: BodyFlow;
  /** Bytes still to come, or undefined when the answer has no Content-Length. */
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
        this.#flow.resume(); // may push at once
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

  /** What came before stays readable; then the reader gets `thrown`. */
  fail(thrown: unknown): void {
    this.#failure = { thrown };
    this.#reader?.reject(thrown);
    this.#reader = undefined;
  }
}
