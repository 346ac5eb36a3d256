import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { WireClient } from '../wire/message.ts';
import { LINGER_BYTES, LINGER_SECONDS } from './limits.ts';
import { plainAddress, type TrustedProxies } from './trusted-proxies.ts';

/** What a connection tells the exchanges on it (exchange.ts). */
export interface OnConnection {
  /** The connection is closed. */
  clientGone(): void;
  /** node's parser gave up on the connection in the middle of the body. */
  bodyBroken(cause: Error): void;
  /** It is called once a tick, and gives up on a client that sends or takes nothing, or too little. */
  tick(): void;
}

/** One client's connection: the exchanges on it, and how it is closed. */
export class Connection {
  readonly socket: Socket;
  /** Who connected: the client itself or a proxy. */
  readonly peer: WireClient;
  /** Whether the peer is a proxy that is trusted to say who the client is. */
  readonly proxied: boolean;
  readonly exchanges = new Set<OnConnection>();
  /** Whether no further request is taken; requests in flight may still finish. */
  closing = false;
  #lingering = false;
  /** How many bytes had been read from the socket when the current head began. */
  #bytesReadBefore: number;

  constructor(socket: Socket, proxies: TrustedProxies) {
    this.socket = socket;
    this.#bytesReadBefore = socket.bytesRead; // the bytes of a TLS handshake
    // It is read now, because a closed socket no longer knows its peer's address.
    const address = plainAddress(socket.remoteAddress ?? '') ?? '';
    this.peer = { address, secure: 'encrypted' in socket, tls: tlsVersion(socket) };
    this.proxied = proxies.trusts(this.peer.address);
  }

  /** How many bytes of an incomplete head have arrived. Only node's parser holds them. */
  get unfinishedBytes(): number {
    return this.exchanges.size > 0 || this.#lingering ? 0 : this.socket.bytesRead - this.#bytesReadBefore;
  }

  /** Must be called when an exchange has ended. */
  left(exchange: OnConnection): void {
    this.exchanges.delete(exchange);
    this.#bytesReadBefore = this.socket.bytesRead;
  }

  /**
   * Whether no request is in flight and no byte of one has arrived, so that nothing is lost by closing the connection.
   */
  get fresh(): boolean {
    return this.exchanges.size === 0 && this.socket.bytesRead === 0;
  }

  /**
   * How many bytes the kernel has taken for the client. `writeQueueSize` is what libuv still holds of the current
   * write. node's own socket timeout looks at it too: without it, a client that reads a large chunk slowly would look
   * as if it took nothing.
   */
  get bytesTaken(): number {
    const handle = (this.socket as { _handle?: { writeQueueSize?: number } | null })._handle;
    return this.socket.bytesWritten - (handle?.writeQueueSize ?? 0);
  }

  /**
   * Makes the connection linger instead of closing: it sends nothing more, and reads on until the client has closed or
   * a limit is reached (LINGER_SECONDS says why). node calls `destroySoon` after an answer with `Connection: close`, so
   * that is replaced.
   */
  lingerOnClose(): void {
    this.closing = true;
    this.socket.destroySoon = () => this.linger();
  }

  /**
   * Ends the sending side, with `lastWords` if given, and reads and drops what the client still sends, within limits.
   */
  linger(lastWords?: string): void {
    const { socket } = this;
    this.closing = true;
    if (this.#lingering || socket.destroyed) return;
    this.#lingering = true;
    if (lastWords === undefined) socket.end();
    else socket.end(lastWords, 'latin1');
    const bytesBefore = socket.bytesRead;
    const deadline = setTimeout(() => socket.destroy(), LINGER_SECONDS * 1000);
    const watch = setInterval(() => {
      if (socket.bytesRead - bytesBefore > LINGER_BYTES) socket.destroy();
    }, 100);
    socket.once('close', () => {
      clearTimeout(deadline);
      clearInterval(watch);
    });
  }

  /**
   * Closes the connection after its last answer. A lingering one closes later, so that unread bytes do not make TCP
   * reset it.
   */
  close(): void {
    if (!this.#lingering) this.socket.destroySoon();
  }

  /** Whether the client has had its answer, so that what it still sends is dropped. */
  get lingering(): boolean {
    return this.#lingering;
  }
}

/** The version of TLS that a connection has; undefined without TLS, and for versions that are too old to be trusted. */
function tlsVersion(socket: Socket): WireClient['tls'] {
  const protocol = socket instanceof TLSSocket ? socket.getProtocol() : undefined;
  return ({ 'TLSv1.2': '1.2', 'TLSv1.3': '1.3' } as const)[protocol ?? ''];
}
