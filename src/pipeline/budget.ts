import { GatewayError } from '../errors.ts';

/**
 * The one bound on bytes in flight. A request reserves what its buffers may hold at most, before it moves a byte;
 * past the limit it gets SlowDown (503), which SDKs retry with backoff. So memory does not depend on how many
 * clients come, nor on object size.
 */
export class MemoryBudget {
  readonly limitBytes: number;
  #reservedBytes = 0;
  #refused = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  /** How many reservations were refused so far. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * @returns a function that gives the bytes back; calling it twice is harmless
   * @throws GatewayError SlowDown
   */
  reserve(bytes: number): () => void {
    if (this.#reservedBytes + bytes > this.limitBytes) {
      this.#refused++;
      throw new GatewayError('SlowDown', 'The gateway holds as many bytes in flight as it may. Try again shortly.', {
        source: 'gateway',
      });
    }
    this.#reservedBytes += bytes;
    let held = true;
    return () => {
      if (held) this.#reservedBytes -= bytes;
      held = false;
    };
  }
}
