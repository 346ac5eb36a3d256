import { FairShares } from './fair-shares.ts';
import type { Sharer } from './sharer.ts';

/** One place out of a fixed number of them, held until it is given back. */
export class Place {
  readonly sharer: Sharer;
  #places: FairPlaces | undefined;

  constructor(places: FairPlaces, sharer: Sharer) {
    this.#places = places;
    this.sharer = sharer;
  }

  /** Calling it twice is harmless. */
  readonly giveBack = (): void => {
    const places = this.#places;
    this.#places = undefined;
    places?.returned(this.sharer);
  };
}

type Waiter = (place: Place | undefined) => void;

/**
 * A fixed number of places, and those who wait for one. A sharer that is past its part waits though places are free;
 * who has less goes in front. Places that come free go round: to one tenant after the other, within a tenant to one
 * client after the other, and to each client's requests in the order in which they came.
 */
export class FairPlaces {
  readonly shares: FairShares;
  readonly #waiting = new Map<string, Map<string, Set<Waiter>>>();
  #waitingCount = 0;

  constructor(limit: number) {
    this.shares = new FairShares(limit);
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#waitingCount;
  }

  /** Who waits now, each client once. */
  *sharersWaiting(): Generator<Sharer> {
    for (const [tenant, clients] of this.#waiting) {
      for (const client of clients.keys()) yield { tenant, client };
    }
  }

  /** A place that is there, or undefined. Whoever fits has nobody of its own in front: those were served already. */
  tryTake(sharer: Sharer): Place | undefined {
    if (!this.shares.fits(sharer, 1)) return undefined;
    this.shares.take(sharer, 1);
    return new Place(this, sharer);
  }

  /** Resolves with undefined once the signal fires, also where that and the place came in one moment. */
  async take(sharer: Sharer, signal?: AbortSignal): Promise<Place | undefined> {
    const place = this.tryTake(sharer) ?? (await this.#wait(sharer, signal));
    if (signal?.aborted !== true) return place;
    place?.giveBack();
    return undefined;
  }

  /** For Place alone. */
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

  /** @returns whether somebody got a place */
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

  /** Its turn comes again after everybody else's. */
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
