import type { Socket } from 'node:net';
import type { Connection } from './connection.ts';
import { Crowd } from './crowd.ts';
import { plainAddress, type TrustedProxies } from './trusted-proxies.ts';

/** Of all connections, the last sixteenth is for addresses that hold less than that. */
const KEPT_PART = 16;
/** What a connection takes beside the bytes of a head: socket, parser, and what the parser makes of the head. */
const CONNECTION_BYTES = 16 * 1024;
/** So many are what every gateway has; those beyond count in the memory though they idle. */
const UNCOUNTED_CONNECTIONS = 256;
/** And while a TLS handshake is on its way. */
const HANDSHAKE_BYTES = 48 * 1024;

/** One who is connected: below TLS, before anything was read. */
interface Guest {
  readonly socket: Socket;
  readonly address: string;
  /** Once a TLS handshake is over; at once where there is none. */
  connection: Connection | undefined;
}

export interface GuestsOptions {
  readonly maxConnections: number;
  /** What heads that are not whole, and handshakes, may take of the memory. */
  readonly roomBytes: number;
  /** Told how much they take now, and connections beyond the usual. */
  readonly onHeld: (bytes: number) => void;
  readonly proxies: TrustedProxies;
  /** A connection was closed for want of room: which was wanting is a metric's label. */
  readonly onTurnedAway: (reason: 'TooManyConnections' | 'UnfinishedHeads') => void;
}

/**
 * Who may be connected. Two things are scarce: connections, and the memory of heads that came in part, of which nobody
 * knows yet whose they are. Either is shared out by address: whoever has most makes room first, and a few connections
 * are kept for addresses that have next to none. Trusted proxies stand for many, and may have all that there are.
 */
export class Guests {
  readonly #options: GuestsOptions;
  readonly #crowd = new Crowd<Guest>();
  readonly #byEndpoint = new Map<string, Guest>();

  constructor(options: GuestsOptions) {
    this.#options = options;
  }

  /** @returns false when there is no room: the socket is closed then */
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

  /** Requests may come from now on. */
  connected(connection: Connection): void {
    const guest = this.#byEndpoint.get(endpointOf(connection.socket));
    if (guest !== undefined) guest.connection = connection;
  }

  /** Every socket, those in a handshake among them. */
  *sockets(): Generator<Socket> {
    for (const { socket } of this.#crowd) yield socket;
  }

  /** Looks how much of heads came, and closes what is too much: of the address that has most, the oldest. */
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

  /** Whoever has fewer than another may have the place of one that does nothing. */
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

/** What there is of a head that is not whole. */
function bytesOf({ connection }: Guest): number {
  if (connection === undefined) return HANDSHAKE_BYTES;
  const { unfinishedBytes } = connection;
  return unfinishedBytes === 0 ? 0 : CONNECTION_BYTES + unfinishedBytes;
}

function sum(guests: readonly Guest[]): number {
  return guests.reduce((bytes, guest) => bytes + bytesOf(guest), 0);
}

/** The same for a socket and for the TLS socket above it. */
function endpointOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
