import { FairShares } from './fair-shares.ts';
import type { Sharer } from './sharer.ts';

/** One of a fixed number of places, which is held until it is given back. */
export class Place {
  readonly sharer: Sharer;
  #places: FairPlaces | undefined;

  constructor(places: FairPlaces, sharer: Sharer) {
    this.#places = places;
    this.sharer = sharer;
  }

  /** Gives the place back. A second call does nothing. */
  readonly giveBack = (): void => {
    const places = this.#places;
    this.#places = undefined;
    places?.returned(this.sharer);
  };
}

type Waiter = (place: Place | undefined) => void;

/**
 * A fixed number of places, and the requests that wait for one. A sharer that holds its share already waits even while
 * places are free; one that holds less goes first. Places that become free go round: from tenant to tenant, within a
 * tenant from client to client, and to each client's requests in the order in which they came.
 */
export class FairPlaces {
  readonly shares: FairShares;
  readonly #waiting = new Map<string, Map<string, Set<Waiter>>>();
  #waitingCount = 0;

  constructor(limit: number) {
    this.shares = new FairShares(limit);
  }

  /** How many requests wait now. */
  get waiting(): number {
    return this.#waitingCount;
  }

  /** Yields who waits now, each client once. */
  *sharersWaiting(): Generator<Sharer> {
    for (const [tenant, clients] of this.#waiting) {
      for (const client of clients.keys()) yield { tenant, client };
    }
  }

  /**
   * Takes a place if one is free, or returns undefined. If a sharer fits in, none of its own requests waits: they were
   * served before.
   */
  tryTake(sharer: Sharer): Place | undefined {
    if (!this.shares.fits(sharer, 1)) return undefined;
    this.shares.take(sharer, 1);
    return new Place(this, sharer);
  }

  /** Waits for a place. It resolves to undefined if the signal aborts, even if both happen at the same moment. */
  async take(sharer: Sharer, signal?: AbortSignal): Promise<Place | undefined> {
    const place = this.tryTake(sharer) ?? (await this.#wait(sharer, signal));
    if (signal?.aborted !== true) return place;
    place?.giveBack();
    return undefined;
  }

  /** Is called by Place alone. */
  returned(sharer: Sharer): void {
    this.shares.give(sharer, 1);
    while (this.#waitingCount > 0 && this.#serveNext());
  }

  #wait(sharer: Sharer, signal: AbortSignal | undefined): Promise<Place | undefined> {
    if (signal?.aborted === true) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const waiter: Waiter = (place) => {
        signal?.removeEventListener('abort', giveUp);
        resolve(place);
      };
      const giveUp = () => {
        this.#leave(sharer, waiter);
        resolve(undefined);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#line(sharer).add(waiter);
      this.#waitingCount++;
    });
  }

  /**
   * Gives a free place to the next in turn.
   * @returns whether somebody got a place
   */
  #serveNext(): boolean {
    for (const [tenant, clients] of this.#waiting) {
      for (const [client, line] of clients) {
        const sharer = { tenant, client };
        const place = this.tryTake(sharer);
        if (place === undefined) continue;
        const [waiter] = line as Set<Waiter> & Iterable<Waiter>;
        this.#toTheEnd(sharer, line);
        this.#leave(sharer, waiter as Waiter);
        (waiter as Waiter)(place);
        return true;
      }
    }
    return false;
  }

  /** Moves a client behind all others, so that its turn comes again after theirs. */
  #toTheEnd({ tenant, client }: Sharer, line: Set<Waiter>): void {
    const clients = this.#waiting.get(tenant) as Map<string, Set<Waiter>>;
    clients.delete(client);
    clients.set(client, line);
    this.#waiting.delete(tenant);
    this.#waiting.set(tenant, clients);
  }

  #line({ tenant, client }: Sharer): Set<Waiter> {
    let clients = this.#waiting.get(tenant);
    if (clients === undefined) {
      clients = new Map();
      this.#waiting.set(tenant, clients);
    }
    let line = clients.get(client);
    if (line === undefined) {
      line = new Set();
      clients.set(client, line);
    }
    return line;
  }

  #leave({ tenant, client }: Sharer, waiter: Waiter): void {
    const clients = this.#waiting.get(tenant);
    const line = clients?.get(client);
    if (clients === undefined || line === undefined || !line.delete(waiter)) return;
    this.#waitingCount--;
    if (line.size === 0) clients.delete(client);
    if (clients.size === 0) this.#waiting.delete(tenant);
  }
}
