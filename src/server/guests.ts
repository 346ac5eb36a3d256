import type { Socket } from 'node:net';
import type { Connection } from './connection.ts';
import { Crowd } from './crowd.ts';
import { plainAddress, type TrustedProxies } from './trusted-proxies.ts';

/** The last sixteenth of all connections is kept for addresses that hold less than a sixteenth. */
const KEPT_PART = 16;
/**
 * What a connection takes in memory beside the bytes of a head: the socket, the parser, and what the parser makes of
 * the head.
 */
const CONNECTION_BYTES = 16 * 1024;
/** So many connections are usual. Those beyond this number count in the memory even while they idle. */
const UNCOUNTED_CONNECTIONS = 256;
/** What a connection takes in memory during its TLS handshake. */
const HANDSHAKE_BYTES = 48 * 1024;

/** Someone who is connected, known by the TCP socket below TLS, before anything was read. */
interface Guest {
  readonly socket: Socket;
  readonly address: string;
  /** undefined until the TLS handshake is over, if there is one. */
  connection: Connection | undefined;
}

export interface GuestsOptions {
  readonly maxConnections: number;
  /** How much memory incomplete heads and handshakes may take. */
  readonly roomBytes: number;
  /** Is told how much memory incomplete heads, handshakes, and connections beyond the usual number take now. */
  readonly onHeld: (bytes: number) => void;
  readonly proxies: TrustedProxies;
  /** Is told when a connection was closed for lack of room; the reason is a metric's label. */
  readonly onTurnedAway: (reason: 'TooManyConnections' | 'UnfinishedHeads') => void;
}

/**
 * Decides who may be connected. Two things are scarce: connections, and the memory of incomplete heads, of which nobody
 * knows yet whose they are. Both are shared out by address. Whoever has most makes room first, and a few connections
 * are kept for addresses that have hardly any. Trusted proxies stand for many clients, and may have all connections.
 */
export class Guests {
  readonly #options: GuestsOptions;
  readonly #crowd = new Crowd<Guest>();
  readonly #byEndpoint = new Map<string, Guest>();

  constructor(options: GuestsOptions) {
    this.#options = options;
  }

  /**
   * Admits a new socket, or closes it if there is no room.
   * @returns whether there was room
   */
  welcome(socket: Socket): boolean {
    const address = plainAddress(socket.remoteAddress ?? '') ?? '';
    if (!this.#hasRoomFor(address)) {
      this.#options.onTurnedAway('TooManyConnections');
      socket.destroy();
      return false;
    }
    const guest: Guest = { socket, address, connection: undefined };
    const endpoint = endpointOf(socket);
    this.#crowd.add(guest, address);
    this.#byEndpoint.set(endpoint, guest);
    socket.once('close', () => {
      this.#crowd.remove(guest);
      if (this.#byEndpoint.get(endpoint) === guest) this.#byEndpoint.delete(endpoint);
    });
    return true;
  }

  /** Must be called when a connection can carry requests, which behind TLS is after the handshake. */
  connected(connection: Connection): void {
    const guest = this.#byEndpoint.get(endpointOf(connection.socket));
    if (guest !== undefined) guest.connection = connection;
  }

  /** Returns every socket, including those in a handshake. */
  *sockets(): Generator<Socket> {
    for (const { socket } of this.#crowd) yield socket;
  }

  /**
   * Measures how much memory incomplete heads take. While it is too much, the oldest connection of the address that
   * holds most is closed.
   */
  tick(): void {
    const { roomBytes, onHeld, onTurnedAway } = this.#options;
    const unfinished = [...this.#crowd].filter((guest) => bytesOf(guest) > 0);
    let heldBytes = sum(unfinished);
    if (heldBytes > roomBytes) {
      const byAddress = [...Map.groupBy(unfinished, ({ address }) => address).values()].map((guests) => {
        return { guests, bytes: sum(guests) };
      });
      while (heldBytes > roomBytes) {
        const most = byAddress.reduce((one, other) => (other.bytes > one.bytes ? other : one));
        const [leaving] = most.guests.splice(0, 1);
        if (leaving === undefined) break;
        const bytes = bytesOf(leaving);
        most.bytes -= bytes;
        heldBytes -= bytes;
        onTurnedAway('UnfinishedHeads');
        leaving.socket.destroy();
      }
    }
    onHeld(heldBytes + Math.max(0, this.#crowd.size - UNCOUNTED_CONNECTIONS) * CONNECTION_BYTES);
  }

  #hasRoomFor(address: string): boolean {
    const { maxConnections, proxies } = this.#options;
    const free = maxConnections - this.#crowd.size - 1;
    const kept = Math.floor(maxConnections / KEPT_PART);
    if (free >= kept) return true;
    const has = this.#crowd.sizeOf(address);
    if (free >= 0 && (has < kept || proxies.trusts(address))) return true;
    return this.#makeRoomFor(has);
  }

  /** Closes an idle connection of an address that has more than one connection more than this one, if there is any. */
  #makeRoomFor(has: number): boolean {
    const leaving = this.#crowd.firstToGo(isIdle);
    if (leaving === undefined || this.#crowd.sizeOf(leaving.address) <= has + 1) return false;
    this.#crowd.remove(leaving);
    leaving.socket.destroy();
    return true;
  }
}

function isIdle({ connection }: Guest): boolean {
  return connection === undefined || (connection.exchanges.size === 0 && !connection.lingering);
}

/** How much memory the incomplete head of a guest takes; 0 if there is none. */
function bytesOf({ connection }: Guest): number {
  if (connection === undefined) return HANDSHAKE_BYTES;
  const { unfinishedBytes } = connection;
  return unfinishedBytes === 0 ? 0 : CONNECTION_BYTES + unfinishedBytes;
}

function sum(guests: readonly Guest[]): number {
  return guests.reduce((bytes, guest) => bytes + bytesOf(guest), 0);
}

/** Returns the same text for a TCP socket and for the TLS socket above it. */
function endpointOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
