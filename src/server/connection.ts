import type { Socket } from 'node:net';
import type { WireClient } from '../wire/message.ts';
import { LINGER_BYTES, LINGER_SECONDS } from './limits.ts';
import { plainAddress, type TrustedProxies } from './trusted-proxies.ts';

/** What a connection tells the requests on it (exchange.ts). */
export interface OnConnection {
  /** The connection is closed. */
  clientGone(): void;
  /** node's parser gave the connection up in the middle of the body. */
  bodyBroken(cause: Error): void;
  /** Once a tick: gives up on a client that sends or takes nothing, or next to nothing. */
  tick(): void;
}

/** One client's connection: the exchanges on it, and how it is closed. */
export class Connection {
  readonly socket: Socket;
  /** Who connected. */
  readonly peer: WireClient;
  /** Whether that is a proxy whose word on the client is taken. */
  readonly proxied: boolean;
  readonly exchanges = new Set<OnConnection>();
  /** No further request is taken; what is in flight may finish. */
  closing = false;
  #lingering = false;
  /** How many bytes had been read when the head that is coming in now began. */
  #bytesReadBefore: number;

  constructor(socket: Socket, proxies: TrustedProxies) {
    this.socket = socket;
    this.#bytesReadBefore = socket.bytesRead; // a TLS handshake
    // Read now: a socket that is closed no longer knows its peer's address.
    this.peer = { address: plainAddress(socket.remoteAddress ?? '') ?? '', secure: 'encrypted' in socket };
    this.proxied = proxies.trusts(this.peer.address);
  }

  /** Of a head that is not whole yet: nobody but node's parser has them. */
  get unfinishedBytes(): number {
    return this.exchanges.size > 0 || this.#lingering ? 0 : this.socket.bytesRead - this.#bytesReadBefore;
  }

  /** An exchange is over. */
  left(exchange: OnConnection): void {
    this.exchanges.delete(exchange);
    this.#bytesReadBefore = this.socket.bytesRead;
  }

  /** No request in flight and none begun: nothing is lost by closing it. */
  get fresh(): boolean {
    return this.exchanges.size === 0 && this.socket.bytesRead === 0;
  }

  /**
   * Bytes that the kernel took for the client. `writeQueueSize` is what libuv still holds of a write in progress:
   * node's own socket timeout looks at it too, and without it a slow reader of a large chunk would look like a dead one.
   */
  get bytesTaken(): number {
    const handle = (this.socket as { _handle?: { writeQueueSize?: number } | null })._handle;
    return this.socket.bytesWritten - (handle?.writeQueueSize ?? 0);
  }

  /**
   * Says that nothing more will be sent, and reads on until the client has closed or patience ends (limits.ts says
   * why). node calls `destroySoon` when an answer with `Connection: close` is out, so that is where this comes in.
   */
  lingerOnClose(): void {
    this.closing = true;
    this.socket.destroySoon = () => this.linger();
  }

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

  /** After the last answer: whatever was said stays said, and no unread byte turns it into a reset. */
  close(): void {
    if (!this.#lingering) this.socket.destroySoon();
  }

  /** Has had its answer; what it still sends is thrown away. */
  get lingering(): boolean {
    return this.#lingering;
  }
}
