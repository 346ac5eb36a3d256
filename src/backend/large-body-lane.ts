import type { IncomingResponse, OutgoingRequest } from '../wire/message.ts';
import { ExchangeFailure } from './exchange.ts';
import { abandoned } from './failure.ts';
import { LaneConnection, type LaneOwner, type LaneTarget } from './lane-connection.ts';
import { outgoingHeaders } from './outgoing-headers.ts';
import { ReadBuffers } from './read-buffers.ts';
import type { UploadBody } from './upload-body.ts';

/** Timeouts are looked at this often: one timer for all connections, and none to set or clear a request. */
const TICK_MILLISECONDS = 100;

export interface LaneOptions extends LaneTarget {
  readonly connections: number;
  readonly connectTimeoutSeconds: number;
  readonly headersTimeoutSeconds: number;
  readonly bodyTimeoutSeconds: number;
  readonly keepAliveSeconds: number;
}

interface Waiter {
  readonly resolve: (connection: LaneConnection) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Exchanges over raw sockets: objects, in either direction. undici carries everything else; it reads sockets in small
 * pieces and parses in WebAssembly, which costs a large body four times the CPU of this, and a small object a fifth of
 * the whole request (bench).
 */
export class LargeBodyLane implements LaneOwner {
  readonly #options: LaneOptions;
  readonly #buffers = new ReadBuffers();
  readonly #connections = new Set<LaneConnection>();
  /** Last in, first out: the freshest is the least likely to be stale. */
  readonly #idle: LaneConnection[] = [];
  readonly #waiting = new Set<Waiter>();
  readonly #opened: (change: 1 | -1) => void;
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #closing: PromiseWithResolvers<void> | undefined;

  /** `opened` hears of every connection that opens and closes. */
  constructor(options: LaneOptions, opened: (change: 1 | -1) => void) {
    this.#options = options;
    this.#opened = opened;
  }

  /**
   * `stream` is the request's body where that is no Buffer. Its first piece is waited for before there is a connection:
   * one that is given out and hears nothing is closed by the backend, and is kept from those who have something to send.
   * @throws ExchangeFailure, what the stream's source throws
   */
  async exchange(
    request: OutgoingRequest,
    signal: AbortSignal | undefined,
    stream?: UploadBody,
  ): Promise<IncomingResponse> {
    const body = stream ?? (Buffer.isBuffer(request.body) ? request.body : undefined);
    const head = requestHead(request, Buffer.isBuffer(body) ? body.length : body?.bytes);
    if (stream !== undefined) await begun(stream, signal);
    const connection = this.#free() ?? (await this.#wait(signal));
    if (signal?.aborted === true) {
      connection.destroy();
      throw new ExchangeFailure(abandoned(signal), false);
    }
    return connection.exchange({ head, body, signal });
  }

  get ticks(): number {
    return this.#ticks;
  }

  /** Resolves once what is in flight is over. */
  close(): Promise<void> {
    this.#closing ??= Promise.withResolvers();
    for (const connection of this.#idle.splice(0)) connection.destroy();
    if (this.#connections.size === 0) this.#closing.resolve();
    return this.#closing.promise;
  }

  destroy(): Promise<void> {
    const closed = this.close();
    for (const connection of this.#connections) connection.destroy();
    return closed;
  }

  idle(connection: LaneConnection): void {
    connection.lastEventAt = this.#ticks;
    const [waiter] = this.#waiting;
    if (waiter !== undefined) {
      this.#waiting.delete(waiter);
      waiter.resolve(connection);
    } else if (this.#closing !== undefined) {
      connection.destroy();
    } else {
      this.#idle.push(connection);
    }
  }

  gone(connection: LaneConnection): void {
    this.#connections.delete(connection);
    this.#opened(-1);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    const [waiter] = this.#waiting;
    if (waiter !== undefined) {
      this.#waiting.delete(waiter);
      waiter.resolve(this.#open());
    } else if (this.#connections.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#closing?.resolve();
    }
  }

  /** One that is idle, or a new one, or none: all are busy. */
  #free(): LaneConnection | undefined {
    return this.#idle.pop() ?? (this.#connections.size < this.#options.connections ? this.#open() : undefined);
  }

  #open(): LaneConnection {
    const { endpoint, tls } = this.#options;
    const connection = new LaneConnection({ endpoint, tls }, this, this.#buffers);
    connection.lastEventAt = this.#ticks;
    this.#connections.add(connection);
    this.#opened(1);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MILLISECONDS).unref();
    return connection;
  }

  #wait(signal: AbortSignal | undefined): Promise<LaneConnection> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        signal,
        resolve: (connection) => {
          signal?.removeEventListener('abort', giveUp);
          resolve(connection);
        },
      };
      const giveUp = () => {
        this.#waiting.delete(waiter);
        reject(new ExchangeFailure(abandoned(signal as AbortSignal), false));
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(waiter);
    });
  }

  #tick(): void {
    this.#ticks++;
    for (const connection of this.#connections) this.#checkTime(connection);
  }

  #checkTime(connection: LaneConnection): void {
    const waitsFor = connection.waitsFor;
    if (waitsFor === undefined) {
      connection.lastEventAt = this.#ticks; // its reader takes the time it needs
      return;
    }
    const seconds = ((this.#ticks - connection.lastEventAt) * TICK_MILLISECONDS) / 1_000;
    const { connectTimeoutSeconds, headersTimeoutSeconds, bodyTimeoutSeconds, keepAliveSeconds } = this.#options;
    if (waitsFor === 'request') {
      if (seconds >= keepAliveSeconds) connection.destroy();
    } else if (waitsFor === 'connect') {
      if (seconds >= connectTimeoutSeconds) connection.destroy(late('UND_ERR_CONNECT_TIMEOUT'));
    } else if (seconds >= (waitsFor === 'head' ? headersTimeoutSeconds : bodyTimeoutSeconds)) {
      connection.destroy(late('ETIMEDOUT'));
    }
  }
}

/** Given up meanwhile, the stream is let go of: its source may have nothing to say for long. */
async function begun(stream: UploadBody, signal: AbortSignal | undefined): Promise<void> {
  const giveUp = () => stream.close();
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    await stream.begun();
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
  if (signal?.aborted === true) throw new ExchangeFailure(abandoned(signal), false);
}

function late(code: string): Error {
  return Object.assign(new Error('no word from the backend in time'), { code });
}

const FORBIDDEN_IN_TARGET = /[^\x21-\x7e]/;
const HEADER_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*\r\n$/;

/** @throws ExchangeFailure rather than write what a peer could read as another request */
function requestHead({ method, path, headers }: OutgoingRequest, bodyBytes: number | undefined): string {
  if (FORBIDDEN_IN_TARGET.test(path)) throw unspeakable('target');
  let head = `${method} ${path} HTTP/1.1\r\n`;
  const raw = outgoingHeaders(headers, bodyBytes);
  for (let at = 0; at < raw.length; at += 2) {
    const line = `${raw[at]}: ${raw[at + 1]}\r\n`;
    if (!HEADER_LINE.test(line)) throw unspeakable('header');
    head += line;
  }
  return `${head}\r\n`;
}

function unspeakable(what: string): ExchangeFailure {
  return new ExchangeFailure(Object.assign(new Error(`invalid ${what}`), { code: 'UND_ERR_INVALID_ARG' }), false);
}
