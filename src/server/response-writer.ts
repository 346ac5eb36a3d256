import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { HeaderList } from '../wire/headers.ts';
import type { ByteSource, WireResponse } from '../wire/message.ts';

/** Statuses that never have a body (RFC 9110 §6.4.1): a Content-Length there would be wrong. */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}

/** Between a source that is always ready and a kernel that takes everything, no other request would get its turn. */
const FAIR_CHUNKS = 32;

/** The client went away while the answer was on its way. Not an error of anybody's that needs an answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/**
 * Writes one answer to node's response. It waits until a chunk was handed to the kernel before it pulls the next one:
 * that is the backpressure, and what allows a source to reuse its buffer.
 */
export class ResponseWriter {
  /** Body bytes handed to node so far. */
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

  /** Waits for the client to take bytes. */
  get waiting(): boolean {
    return this.#wake !== undefined;
  }

  /**
   * Settles when the last byte was handed to the system. Rejects when the body throws or its length is not the
   * declared one: then the head is out, and the caller must destroy the socket.
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

  /** The connection is closed: whoever waits for it is released. */
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
        // Commonly the kernel took it all at once, and there is nothing to wait for.
        if (this.#response.socket?.writableLength !== 0) await this.#flushed();
        else if (++atOnce % FAIR_CHUNKS === 0) await setImmediate();
        // A destroyed socket takes everything, and says nothing before the next turn of the event loop.
        if (this.#gone || this.#response.destroyed || this.#response.socket?.destroyed) throw new ClientGone();
      }
      over = true;
    } finally {
      if (!over) await release({ [Symbol.asyncIterator]: () => iterator });
    }
    if (length !== undefined && this.bytes !== length) throw new Error('The body is shorter than its length.');
  }

  /** Corked by hand, or node would cork until the next tick: head and chunk go out in one system call, now. */
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
 * In node's flat shape. Node decodes a Content-Disposition that follows a Content-Length as UTF-8, and then fails at, or
 * mangles, every file name that is not ASCII (nodejs/node#46528): so the length goes last.
 */
function rawHead(headers: HeaderList, length: string | undefined): string[] {
  if (length === undefined || !headers.has('content-disposition')) return headers.toRaw();
  return headers.clone().set('Content-Length', length).toRaw();
}

/** Lets a source go. What it throws then is of no interest: its bytes are not wanted any more. */
async function release(source: ByteSource): Promise<void> {
  try {
    await source[Symbol.asyncIterator]().return?.();
  } catch {
    // see above
  }
}
