import type { Budget } from './memory-budget.ts';

/**
 * How much is reserved at once: enough that a large document needs few reservations, and little too much for a small
 * one.
 */
const STEP_BYTES = 128 * 1024;

/** Reserves memory for a document whose size is not known before it was read. */
export class GrowingReservation {
  readonly #budget: Budget;
  readonly #releases: (() => void)[] = [];
  #neededBytes = 0;
  #reservedBytes = 0;
  #over = false;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /**
   * Reserves for this many more bytes.
   * @throws GatewayError SlowDown; what was reserved before stays so until `release`
   */
  grow(bytes: number): void {
    this.#neededBytes += bytes;
    while (this.#reservedBytes < this.#neededBytes && !this.#over) {
      this.#releases.push(this.#budget.reserve(STEP_BYTES));
      this.#reservedBytes += STEP_BYTES;
    }
  }

  /** Gives all of it back. A second call does nothing. */
  readonly release = (): void => {
    this.#over = true;
    for (const release of this.#releases) release();
  };
}
