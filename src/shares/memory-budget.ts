import { GatewayError } from '../errors.ts';
import { FairShares } from './fair-shares.ts';
import { OWN_BUSINESS, type Sharer } from './sharer.ts';

/** Where memory for the buffers of a request is reserved. */
export interface Budget {
  readonly limitBytes: number;
  /**
   * Reserves memory.
   * @returns a function that gives the bytes back; a second call of it does nothing
   * @throws GatewayError SlowDown
   */
  reserve(bytes: number): () => void;
}

/**
 * Bounds all bytes in flight. A request reserves what its buffers may hold at most before it moves a byte. Past the
 * limit, or past the share of its tenant or client, it gets SlowDown (503), which SDKs retry with backoff. So memory
 * depends neither on the number of clients nor on object size, and nobody can take all of it.
 */
export class MemoryBudget implements Budget {
  readonly limitBytes: number;
  readonly #shares: FairShares;
  #refused = 0;
  #besideBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
    this.#shares = new FairShares(limitBytes);
  }

  get reservedBytes(): number {
    return this.#shares.taken;
  }

  /** How many reservations have been refused so far. */
  get refused(): number {
    return this.#refused;
  }

  /** Reserves memory for the gateway itself. */
  reserve(bytes: number): () => void {
    return this.reserveFor(OWN_BUSINESS, bytes);
  }

  /** Returns the same budget, from which one sharer's share is used. */
  of(sharer: Sharer): Budget {
    return { limitBytes: this.limitBytes, reserve: (bytes) => this.reserveFor(sharer, bytes) };
  }

  /** Sets how much memory is held without a reservation. It counts even past the limit, and leaves less for others. */
  holdBeside(bytes: number): void {
    const more = bytes - this.#besideBytes;
    this.#besideBytes = bytes;
    if (more > 0) this.#shares.take(OWN_BUSINESS, more);
    else this.#shares.give(OWN_BUSINESS, -more);
  }

  reserveFor(sharer: Sharer, bytes: number): () => void {
    const shares = this.#shares;
    if (!shares.fits(sharer, bytes)) {
      this.#refused++;
      const message =
        shares.taken + bytes > shares.limit
          ? 'The gateway holds as many bytes in flight as it may. Try again shortly.'
          : 'Your requests hold as much of the gateway’s memory as your part of it allows. Try again shortly.';
      throw new GatewayError('SlowDown', message, { source: 'gateway' });
    }
    shares.take(sharer, bytes);
    let held = true;
    return () => {
      if (held) shares.give(sharer, bytes);
      held = false;
    };
  }
}
