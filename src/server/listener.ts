import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { clientError } from '../errors.ts';
import type { Log } from '../telemetry/log.ts';
import type { RequestRecord } from '../telemetry/request-record.ts';
import { HeaderList } from '../wire/headers.ts';
import { brokenRequest } from './broken-request.ts';
import { Connection } from './connection.ts';
import { Exchange, type ExchangeServices, type Handle } from './exchange.ts';
import { offersUpgrade, refusedFraming } from './framing.ts';
import { Guests } from './guests.ts';
import {
  GUEST_TICK_MILLISECONDS,
  HEAD_ROOM_BYTES,
  MAX_PIPELINED,
  MIN_UPLOAD_BYTES_PER_SECOND,
  type ServerLimits,
} from './limits.ts';
import { createNodeServer } from './node-server.ts';
import { type RenderRefusal, renderPlain, wireText } from './plain-answer.ts';
import { parseAnew, withEncodedTarget } from './raw-target.ts';
import { drain } from './shutdown.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** What the listener reports to; telemetry's Metrics is one. */
export interface ListenerMetrics {
  request(record: RequestRecord): void;
  refused(reason: string): void;
}

export interface ListenerOptions {
  /** Verifies, serves and renders. It renders its errors itself; if it rejects, the client gets a bare 500. */
  readonly handle: Handle;
  readonly limits: ServerLimits;
  /** Certificate and key as PEM texts. If they are given, the listener speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** The default trusts no proxy: whoever connects is the client. */
  readonly proxies?: TrustedProxies | undefined;
  /** Is told how much memory incomplete heads, TLS handshakes, and connections beyond the usual number take now. */
  readonly onHeadBytes?: ((bytes: number) => void) | undefined;
  readonly metrics: ListenerMetrics;
  readonly log: Pick<Log, 'request' | 'info' | 'warn'>;
  readonly newRequestId: () => string;
  /** Renders refusals that come before any dialect is known; by default as plain text. */
  readonly renderFatal?: RenderRefusal | undefined;
  /** Returns a monotonic time in milliseconds. */
  readonly clock?: (() => number) | undefined;
  readonly now?: (() => Date) | undefined;
}

export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

/**
 * The port that clients reach: node's HTTP server, made strict and bounded. It is the only writer to a client's socket;
 * the pass-through lane writes through the response that it is handed.
 */
export class Listener {
  readonly server: Server;
  readonly #options: ListenerOptions;
  readonly #connections = new Map<Socket, Connection>();
  readonly #services: ExchangeServices;
  readonly #render: RenderRefusal;
  readonly #secure: boolean;
  readonly #proxies: TrustedProxies;
  readonly #ticker: NodeJS.Timeout;
  readonly #guests: Guests;
  readonly #guestTicker: NodeJS.Timeout;
  #stopping = false;

  constructor(options: ListenerOptions) {
    const { limits, handle } = options;
    this.#options = options;
    this.#secure = options.tls !== undefined;
    this.#proxies = options.proxies ?? new TrustedProxies([]);
    this.#render = options.renderFatal ?? renderPlain;
    const tickSeconds = Math.min(Math.max(limits.idleSeconds / 6, 0.02), 5);
    this.#services = {
      handle,
      render: this.#render,
      watchLimits: {
        tickSeconds,
        idleSeconds: limits.idleSeconds,
        minUploadBytesPerSecond: limits.minUploadBytesPerSecond ?? MIN_UPLOAD_BYTES_PER_SECOND,
      },
      clock: options.clock ?? (() => performance.now()),
      stopping: () => this.#stopping,
      onOver: (exchange, record) => this.#onOver(exchange, record),
    };
    this.#guests = new Guests({
      maxConnections: limits.maxConnections,
      roomBytes: limits.headRoomBytes ?? HEAD_ROOM_BYTES,
      proxies: this.#proxies,
      onHeld: options.onHeadBytes ?? (() => undefined),
      onTurnedAway: (reason) => options.metrics.refused(reason),
    });
    this.server = createNodeServer(options);
    this.#attach();
    this.#ticker = setInterval(() => this.#tick(), tickSeconds * 1000).unref();
    this.#guestTicker = setInterval(() => this.#guests.tick(), GUEST_TICK_MILLISECONDS).unref();
  }

  /** How many client connections are open now. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  get requestsInFlight(): number {
    let count = 0;
    for (const connection of this.#connections.values()) count += connection.exchanges.size;
    return count;
  }

  /** The address that it listens on. It is known once `listen` has resolved. */
  get address(): AddressInfo {
    return this.server.address() as AddressInfo;
  }

  /** @throws Error with code EADDRINUSE, EACCES or another that says why it cannot listen */
  listen(address: ListenAddress): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ ...address, backlog: 1024 }, () => {
        this.server.off('error', reject);
        resolve(this.address);
      });
    });
  }

  /**
   * Uses this certificate for handshakes from now on.
   * @throws Error if it is invalid; the certificate before it then stays
   */
  setCertificate(tls: NonNullable<ListenerOptions['tls']>): void {
    if (this.server instanceof TlsServer) this.server.setSecureContext({ cert: tls.cert, key: tls.key });
  }

  /**
   * Stops accepting connections, closes idle ones, lets requests in flight finish with `Connection: close`, and
   * destroys what is left after `graceSeconds`. With `keepsPort`, new connections are reset instead of refused, until
   * the process closes the port.
   * @returns how many requests were cut off
   */
  async close(options: { readonly graceSeconds: number; readonly keepsPort?: boolean | undefined }): Promise<number> {
    this.#stopping = true;
    const cut = await drain({
      server: this.server,
      connections: () => this.#connections.values(),
      handshakes: this.#guests.sockets(),
      ...options,
    });
    clearInterval(this.#ticker);
    clearInterval(this.#guestTicker);
    return cut;
  }

  #attach(): void {
    const { server } = this;
    server.on('connection', (socket: Socket) => {
      if (this.#connections.has(socket)) return; // it got a new parser (raw-target.ts)
      if (this.#stopping) {
        socket.resetAndDestroy();
        return;
      }
      if (this.#guests.welcome(socket) && !this.#secure) this.#onConnection(socket);
    });
    if (this.#secure) server.on('secureConnection', (socket: Socket) => this.#onConnection(socket));
    server.on('request', (message, response) => this.#onRequest(message, response, false));
    server.on('checkContinue', (message, response) => this.#onRequest(message, response, true));
    // An empty Expect is a list without expectations (RFC 9110 §10.1.1).
    server.on('checkExpectation', (message, response) =>
      this.#onRequest(message, response, message.headers.expect === '' ? false : 'unknown'),
    );
    // CONNECT is refused here. There is no listener for 'upgrade', so node upgrades nothing.
    server.on('connect', (_message, socket) => this.#onConnect(socket as Socket));
    server.on('clientError', (error, socket) => this.#onBroken(error, socket as Socket));
  }

  #onConnection(socket: Socket): void {
    if (this.#connections.has(socket)) return; // it got a new parser (raw-target.ts)
    const connection = new Connection(socket, this.#proxies);
    this.#connections.set(socket, connection);
    this.#guests.connected(connection);
    socket.once('close', () => {
      this.#connections.delete(socket);
      for (const exchange of connection.exchanges) exchange.clientGone();
    });
  }

  #onRequest(message: IncomingMessage, response: ServerResponse, expectation: boolean | 'unknown'): void {
    const connection = this.#connections.get(message.socket);
    if (connection === undefined || connection.closing || connection.exchanges.size >= MAX_PIPELINED) {
      // The request follows an answer that said close, or is one of too many at once, and is not served.
      if (connection?.lingering) message.resume();
      else message.socket.destroy();
      return;
    }
    const headers = new HeaderList(message.rawHeaders);
    const { peer, proxied } = connection;
    const exchange = new Exchange(
      {
        id: this.#options.newRequestId(),
        message,
        response,
        connection,
        headers,
        client: proxied ? this.#proxies.clientBehind(peer, headers) : peer,
        expectsContinue: expectation === true,
      },
      this.#services,
    );
    connection.exchanges.add(exchange);
    // If a request offers another protocol, node's parser drops what came with it, even from the middle of a body; so
    // the connection is closed.
    if (offersUpgrade(message)) connection.closing = true;
    const refusal =
      expectation === 'unknown'
        ? clientError('InvalidRequest', 'The gateway knows no expectation but 100-continue.')
        : refusedFraming(message.rawHeaders, message.httpVersion);
    if (refusal !== undefined) this.#options.metrics.refused(refusal.code);
    void exchange.run(refusal);
  }

  #onOver(exchange: Exchange, record: RequestRecord): void {
    this.#options.metrics.request(record);
    this.#options.log.request(record);
    const { connection } = exchange;
    connection.left(exchange);
    if ((connection.closing || this.#stopping) && connection.exchanges.size === 0) connection.close();
  }

  #onConnect(socket: Socket): void {
    this.#refuse(socket, 'MethodNotAllowed', clientError('MethodNotAllowed', 'The gateway is no forward proxy.'));
  }

  /** Handles a request that node's parser gave up on, or whose head took too long. */
  #onBroken(error: Error, socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection?.lingering) {
      // The client has closed, or goes on sending what nobody parses. In both cases it has had its answer.
      if (brokenRequest(error).reason === 'HPE_INVALID_EOF_STATE') socket.destroy();
      return;
    }
    const { reason, refusal } = brokenRequest(error);
    if (connection !== undefined && reason === 'HPE_INVALID_URL' && this.#readsRawTarget(error, connection)) return;
    if (connection !== undefined && connection.exchanges.size > 0 && refusal !== undefined) {
      // The answers in flight are still sent, and the connection ends with them.
      connection.closing = true;
      for (const exchange of connection.exchanges) exchange.bodyBroken(error);
      return;
    }
    if (refusal === undefined || !socket.writable) socket.destroy();
    else this.#refuse(socket, reason, refusal);
  }

  /**
   * Whether the parser gave up only because of bytes past ASCII in the target, so that another parser reads the request
   * now.
   */
  #readsRawTarget(error: Error & { rawPacket?: Buffer }, connection: Connection): boolean {
    const { rawPacket } = error;
    // The packet must be all of the request so far, so that no bytes of anybody else stand before it.
    if (rawPacket === undefined || connection.unfinishedBytes !== rawPacket.length) return false;
    const encoded = connection.closing ? undefined : withEncodedTarget(rawPacket);
    if (encoded === undefined) return false;
    parseAnew(this.server, this.#secure ? 'secureConnection' : 'connection', connection.socket, encoded);
    return true;
  }

  #refuse(socket: Socket, reason: string, refusal: ReturnType<typeof clientError>): void {
    this.#options.metrics.refused(reason);
    const id = this.#options.newRequestId();
    const connection = this.#connections.get(socket) ?? new Connection(socket, this.#proxies);
    const client = connection.peer.address;
    this.#options.log.info('refused', { requestId: id, client, reason, errorCode: refusal.code });
    const now = this.#options.now?.() ?? new Date();
    connection.linger(wireText(this.#render(refusal, id), now));
  }

  #tick(): void {
    for (const connection of this.#connections.values()) {
      for (const exchange of connection.exchanges) exchange.tick();
    }
  }
}

export function createListener(options: ListenerOptions): Listener {
  return new Listener(options);
}
