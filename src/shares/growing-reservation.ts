import type { Budget } from './memory-budget.ts';

/** Few reservations for a large document, little too much for a small one. */
const STEP_BYTES = 128 * 1024;

/** A reservation for what has no known size before it was read. */
export class GrowingReservation {
  readonly #budget: Budget;
  readonly #releases: (() => void)[] = [];
  #neededBytes = 0;
  #reservedBytes = 0;
  #over = false;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** @throws GatewayError SlowDown; what was reserved before stays so until `release` */
  grow(bytes: number): void {
    this.#neededBytes += bytes;
    while (this.#reservedBytes < this.#neededBytes && !this.#over) {
      this.#releases.push(this.#budget.reserve(STEP_BYTES));
      this.#reservedBytes += STEP_BYTES;
    }
  }

  /** Gives all of it back; calling it twice is harmless. */
  readonly release = (): void => {
    this.#over = true;
    for (const release of this.#releases) release();
  };
}
