import { GatewayError } from '../errors.ts';
import { FairShares } from './fair-shares.ts';
import { OWN_BUSINESS, type Sharer } from './sharer.ts';

/** Where a request's buffers are reserved for. */
export interface Budget {
  readonly limitBytes: number;
  /**
   * @returns a function that gives the bytes back; calling it twice is harmless
   * @throws GatewayError SlowDown
   */
  reserve(bytes: number): () => void;
}

/**
 * The one bound on bytes in flight. A request reserves what its buffers may hold at most, before it moves a byte;
 * past the limit, and past its tenant's and client's part of it, it gets SlowDown (503), which SDKs retry with backoff.
 * So memory does not depend on how many clients come, nor on object size, and nobody has all of it.
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

  /** How many reservations were refused so far. */
  get refused(): number {
    return this.#refused;
  }

  /** For what is nobody's request. */
  reserve(bytes: number): () => void {
    return this.reserveFor(OWN_BUSINESS, bytes);
  }

  /** The same budget, of which one sharer takes its part. */
  of(sharer: Sharer): Budget {
    return { limitBytes: this.limitBytes, reserve: (bytes) => this.reserveFor(sharer, bytes) };
  }

  /** Says how much is held that nobody reserves for: it is there whatever the limit is, and others get less. */
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
