import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { HeaderList } from '../wire/headers.ts';
import type { ByteSource, WireResponse } from '../wire/message.ts';

/** Whether answers with this status never have a body (RFC 9110 §6.4.1), so that a Content-Length would be wrong. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

/**
 * After so many chunks in a row without a wait, the writer lets others run. If the source is always ready and the
 * kernel takes everything, no other request would get its turn.
 */
const FAIR_CHUNKS = 32;

/** The client closed the connection while the answer was being sent. Nobody is left who could be told. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/**
 * Writes one answer to node's response. It waits until a chunk was handed to the kernel before it pulls the next one.
 * That is the backpressure, and it allows a source to use its buffer again.
 */
export class ResponseWriter {
  /** How many bytes of the body were handed to node so far. */
  bytes = 0;
  readonly #response: ServerResponse;
  readonly #onHead: () => void;
  #unflushed = 0;
  #wake: (() => void) | undefined;
  #gone = false;

  constructor(options: { readonly response: ServerResponse; readonly onHead: () => void }) {
    this.#response = options.response;
    this.#onHead = options.onHead;
  }

  /** Whether it waits for the client to take bytes. */
  get waiting(): boolean {
    return this.#wake !== undefined;
  }

  /**
   * Writes the answer. The promise resolves when the last byte was handed to the operating system. It rejects if the
   * body throws or if its length is not the declared one. The head was sent by then, so the caller must destroy the
   * socket.
   * @throws ClientGone
   */
  async write(answer: WireResponse, options: { readonly isHead: boolean; readonly close: boolean }): Promise<void> {
    const { body } = answer;
    const source = body === undefined || Buffer.isBuffer(body) ? undefined : body;
    if (this.#gone || options.isHead || isBodiless(answer.status)) {
      if (source !== undefined) await release(source);
      if (this.#gone) throw new ClientGone();
    }
    const length = answer.headers.get('content-length');
    const head = rawHead(answer.headers, length);
    if (length === undefined && source === undefined && !options.isHead && !isBodiless(answer.status)) {
      head.push('Content-Length', String(body === undefined ? 0 : (body as Buffer).length));
    }
    if (options.close) head.push('Connection', 'close');
    try {
      this.#response.writeHead(answer.status, head);
    } catch (error) {
      if (source !== undefined) await release(source);
      throw error;
    }
    this.#onHead();
    if (options.isHead || isBodiless(answer.status) || body === undefined) return this.#end(undefined);
    if (source === undefined) return this.#end(body as Buffer);
    await this.#stream(source, length === undefined ? undefined : Number(length));
    return this.#end(undefined);
  }

  /** Must be called when the connection is closed; a write that waits for it ends. */
  clientGone(): void {
    this.#gone = true;
    this.#wakeUp();
  }

  async #stream(source: ByteSource, length: number | undefined): Promise<void> {
    const iterator = source[Symbol.asyncIterator]();
    let over = false;
    let atOnce = 0;
    try {
      for (;;) {
        const result = await iterator.next();
        if (result.done) break;
        const chunk = result.value;
        if (chunk.length === 0) continue;
        if (length !== undefined && this.bytes + chunk.length > length) throw new Error('The body exceeds its length.');
        this.bytes += chunk.length;
        this.#put(chunk);
        // Usually the kernel takes all of it at once, and there is nothing to wait for.
        if (this.#response.socket?.writableLength !== 0) await this.#flushed();
        else if (++atOnce % FAIR_CHUNKS === 0) await setImmediate();
        // A destroyed socket takes everything, and emits nothing before the next turn of the event loop.
        if (this.#gone || this.#response.destroyed || this.#response.socket?.destroyed) throw new ClientGone();
      }
      over = true;
    } finally {
      if (!over) await release({ [Symbol.asyncIterator]: () => iterator });
    }
    if (length !== undefined && this.bytes !== length) throw new Error('The body is shorter than its length.');
  }

  /**
   * Writes a chunk, and with the first one the head, in one system call. It corks by itself, because node would cork
   * until the next tick.
   */
  #put(chunk: Buffer): void {
    const { socket } = this.#response;
    this.#unflushed++;
    socket?.cork();
    this.#response.write(chunk, this.#onFlushed);
    socket?.uncork();
  }

  async #end(body: Buffer | undefined): Promise<void> {
    if (body !== undefined) this.bytes += body.length;
    this.#unflushed++;
    this.#response.end(body, this.#onFlushed);
    await this.#flushed();
    if (this.#gone && !this.#response.writableFinished) throw new ClientGone();
  }

  #flushed(): Promise<void> {
    if (this.#unflushed === 0 || this.#gone) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  readonly #onFlushed = (): void => {
    this.#unflushed--;
    if (this.#unflushed === 0) this.#wakeUp();
  };

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/**
 * Returns names and values in turn, as node takes them. node decodes a Content-Disposition that follows a
 * Content-Length as UTF-8, and then fails at, or mangles, every file name that is not ASCII (nodejs/node#46528); so the
 * length goes last.
 */
function rawHead(headers: HeaderList, length: string | undefined): string[] {
  if (length === undefined || !headers.has('content-disposition')) return headers.toRaw();
  return headers.clone().set('Content-Length', length).toRaw();
}

/** Releases a source. An error that it throws then is ignored, because its bytes are not wanted any more. */
async function release(source: ByteSource): Promise<void> {
  try {
    await source[Symbol.asyncIterator]().return?.();
  } catch {
    // The error is ignored, as said above.
  }
}
