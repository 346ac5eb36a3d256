import { clientError, type GatewayError } from '../../errors.ts';
import { FairPlaces } from '../../shares/fair-places.ts';
import type { FairShares } from '../../shares/fair-shares.ts';
import { OWN_BUSINESS, type Sharer } from '../../shares/sharer.ts';
import type { IncomingResponse, OutgoingRequest } from '../../wire/message.ts';
import { ExchangeFailure } from '../exchange.ts';
import { abandoned } from '../failure.ts';
import { outgoingHeaders } from '../outgoing-headers.ts';
import type { UploadBody } from '../upload-body.ts';
import { LaneConnection, type LaneOwner } from './connection.ts';
import { Pace } from './pace.ts';
import { ReadBuffers } from './read-buffers.ts';
import type { LaneTarget } from './socket.ts';

/**
 * How often timeouts and slow clients are checked. One timer serves all connections, so that no request sets or clears
 * one of its own.
 */
const TICK_MILLISECONDS = 100;

/**
 * The most downloads and uploads that one tick interrupts. More at once would all resume at once, and hold up everybody
 * else's requests.
 */
const INTERRUPTED_A_TICK = 8;

/** Is told what a lane does with its connections. */
export interface LaneObserver {
  /**
   * An exchange gave up its connection because others waited for one. A download is resumed later; an upload has ended.
   */
  gaveWay?(kind: 'download' | 'upload'): void;
}

export interface LaneOptions extends LaneTarget {
  readonly connections: number;
  readonly connectTimeoutSeconds: number;
  readonly headersTimeoutSeconds: number;
  readonly bodyTimeoutSeconds: number;
  readonly keepAliveSeconds: number;
  readonly observer?: LaneObserver | undefined;
  /** How often timeouts and slow clients are checked. The default is 100; tests check more often. */
  readonly tickMilliseconds?: number | undefined;
}

/**
 * Sends requests for objects and uploads over raw sockets. undici carries all other requests. It reads sockets in small
 * pieces and parses in WebAssembly, which costs four times the CPU for a large body, and for a small object a fifth of
 * the whole request's CPU (bench/RESULTS.md).
 */
export class RawSocketLane implements LaneOwner {
  readonly #options: LaneOptions;
  readonly #buffers = new ReadBuffers();
  readonly #connections = new Set<LaneConnection>();
  /**
   * Idle connections; the last one put in is the first taken out, because it is the least likely to have been closed by
   * the backend.
   */
  readonly #idle: LaneConnection[] = [];
  readonly #places: FairPlaces;
  readonly #opened: (change: 1 | -1) => void;
  readonly #tickMilliseconds: number;
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #closing: PromiseWithResolvers<void> | undefined;

  /**
   * Makes a lane without connections; they are opened when requests need them.
   * @param opened is called with 1 for every connection that opens, and with -1 for every one that closes
   */
  constructor(options: LaneOptions, opened: (change: 1 | -1) => void) {
    this.#options = options;
    this.#opened = opened;
    this.#places = new FairPlaces(options.connections);
    this.#tickMilliseconds = options.tickMilliseconds ?? TICK_MILLISECONDS;
  }

  /** How many requests wait for a connection. */
  get waiting(): number {
    return this.#places.waiting;
  }

  /**
   * Sends a request as soon as there is a connection for it, and resolves with the head of the answer.
   *
   * The first piece of a streamed body is awaited before a connection is taken: the backend closes connections on which
   * it hears nothing, and an idle one would be kept from requests that are ready.
   * @param options `stream` is the request's body if that is not a Buffer; `sharer` is for whom the request is sent;
   * `authority` is the host and port to connect to, by default those of the endpoint
   * @throws ExchangeFailure, and whatever the source of `stream` throws
   */
  async exchange(
    request: OutgoingRequest,
    signal: AbortSignal | undefined,
    {
      stream,
      sharer = OWN_BUSINESS,
      authority = this.#options.endpoint.host,
    }: { readonly stream?: UploadBody | undefined; readonly sharer?: Sharer; readonly authority?: string } = {},
  ): Promise<IncomingResponse> {
    const body = stream ?? (Buffer.isBuffer(request.body) ? request.body : undefined);
    const head = requestHead(request, Buffer.isBuffer(body) ? body.length : body?.bytes);
    if (stream !== undefined) await firstPieceOf(stream, signal);
    const place = this.#places.tryTake(sharer) ?? (await this.#places.take(sharer, signal));
    if (place === undefined) {
      throw new ExchangeFailure(abandoned(signal as AbortSignal), false);
    }
    // There are as many places as connections, so whoever holds a place and finds no idle connection may open one.
    const connection = this.#idleTo(authority) ?? this.#open(authority);
    connection.place = place;
    connection.pace = new Pace();
    return connection.exchange({ head, body, signal });
  }

  get ticks(): number {
    return this.#ticks;
  }

  /** Accepts no more idle connections. Resolves once all exchanges have ended and all connections are closed. */
  close(): Promise<void> {
    this.#closing ??= Promise.withResolvers();
    for (const connection of this.#idle.splice(0)) connection.destroy();
    this.#mayBeOver();
    return this.#closing.promise;
  }

  destroy(): Promise<void> {
    const closed = this.close();
    for (const connection of this.#connections) connection.destroy();
    return closed;
  }

  idle(connection: LaneConnection): void {
    connection.lastEventAt = this.#ticks;
    // The connection is listed first, because whoever gets the place takes an idle connection from this list at once.
    this.#idle.push(connection);
    connection.place?.giveBack();
    if (this.#closing !== undefined && this.#places.shares.taken === 0) {
      for (const unneeded of this.#idle.splice(0)) unneeded.destroy();
    }
  }

  gone(connection: LaneConnection): void {
    this.#connections.delete(connection);
    this.#opened(-1);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    connection.place?.giveBack();
    this.#mayBeOver();
  }

  #mayBeOver(): void {
    if (this.#connections.size > 0 || this.#places.shares.taken > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#closing?.resolve();
  }

  /**
   * Takes the connection to this authority that became idle last. If there is one authority only, it is the last of the
   * list.
   */
  #idleTo(authority: string): LaneConnection | undefined {
    const last = this.#idle.at(-1);
    if (last === undefined || last.authority === authority) return this.#idle.pop();
    const at = this.#idle.findLastIndex((connection) => connection.authority === authority);
    return at === -1 ? undefined : this.#idle.splice(at, 1)[0];
  }

  /** Opens a connection. If there are as many as allowed, the one that has been idle for longest is closed for it. */
  #open(authority: string): LaneConnection {
    const { endpoint: configured, tls, lookup, connections } = this.#options;
    if (this.#connections.size >= connections) this.#idle.shift()?.destroy();
    const endpoint = new URL(`${configured.protocol}//${authority}`);
    const connection = new LaneConnection({ endpoint, tls, lookup }, this, this.#buffers);
    connection.lastEventAt = this.#ticks;
    this.#connections.add(connection);
    this.#opened(1);
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMilliseconds).unref();
    return connection;
  }

  #tick(): void {
    this.#ticks++;
    for (const connection of this.#connections) {
      connection.pace.look(connection.progress);
      this.#checkTime(connection);
    }
    if (this.#places.waiting > 0) this.#makeRoom();
  }

  /**
   * Interrupts exchanges that wait for slow clients, so that requests that wait for a place get one. It begins with the
   * sharers who hold most places. A download can be resumed later. An upload cannot; it is ended, and only if the
   * waiting sharer holds less.
   */
  #makeRoom(): void {
    const { shares } = this.#places;
    const slow = [...this.#connections].filter(({ pace }) => pace.isSlowReader || pace.isSlowSender);
    slow.sort((one, other) => heldBy(other, shares) - heldBy(one, shares));
    let left = INTERRUPTED_A_TICK;
    for (const sharer of this.#places.sharersWaiting()) {
      const at = slow.findIndex((connection) => mayGiveWay(connection, sharer, shares));
      const [connection] = at === -1 ? [] : slow.splice(at, 1);
      if (connection === undefined) continue;
      const kind = connection.pace.isSlowReader ? 'download' : 'upload';
      if (kind === 'download') connection.interrupt();
      else connection.destroy(tooSlow());
      this.#options.observer?.gaveWay?.(kind);
      if (--left === 0) return;
    }
  }

  #checkTime(connection: LaneConnection): void {
    const waitsFor = connection.waitsFor;
    if (waitsFor === undefined) {
      connection.lastEventAt = this.#ticks; // it waits for its reader, for whom there is no timeout
      return;
    }
    const seconds = ((this.#ticks - connection.lastEventAt) * this.#tickMilliseconds) / 1_000;
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

/** How much a connection's sharer holds: compared by the tenant's places first, then by the client's. */
function heldBy({ place }: LaneConnection, shares: FairShares): number {
  if (place === undefined) return 0;
  return shares.takenByTenant(place.sharer.tenant) + shares.takenByClient(place.sharer) / (shares.limit + 1);
}

function mayGiveWay({ place, pace }: LaneConnection, waiting: Sharer, shares: FairShares): boolean {
  if (place === undefined) return false;
  if (pace.isSlowReader) return true;
  const { sharer } = place;
  if (sharer.tenant !== waiting.tenant) {
    return shares.takenByTenant(sharer.tenant) > shares.takenByTenant(waiting.tenant) + 1;
  }
  return shares.takenByClient(sharer) > shares.takenByClient(waiting) + 1;
}

function tooSlow(): GatewayError {
  return clientError(
    'RequestTimeout',
    'Your upload came too slowly while others waited for its place. Try again, and with smaller parts.',
  );
}

/**
 * Waits for the first piece of a stream. If the signal aborts first, the stream is closed, because its source may stay
 * silent for long.
 */
async function firstPieceOf(stream: UploadBody, signal: AbortSignal | undefined): Promise<void> {
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
  return Object.assign(new Error('the backend did not answer in time'), { code });
}

const FORBIDDEN_IN_TARGET = /[^\x21-\x7e]/;
const HEADER_LINE = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+: [\t\x20-\x7e\x80-\xff]*\r\n$/;

/**
 * Renders the head of a request.
 * @throws ExchangeFailure if the head has characters that a peer could read as the start of another request
 */
function requestHead({ method, path, headers }: OutgoingRequest, bodyBytes: number | undefined): string {
  if (FORBIDDEN_IN_TARGET.test(path)) throw invalidHead('target');
  let head = `${method} ${path} HTTP/1.1\r\n`;
  const raw = outgoingHeaders(headers, bodyBytes);
  for (let at = 0; at < raw.length; at += 2) {
    const line = `${raw[at]}: ${raw[at + 1]}\r\n`;
    if (!HEADER_LINE.test(line)) throw invalidHead('header');
    head += line;
  }
  return `${head}\r\n`;
}

function invalidHead(what: string): ExchangeFailure {
  return new ExchangeFailure(Object.assign(new Error(`invalid ${what}`), { code: 'UND_ERR_INVALID_ARG' }), false);
}
