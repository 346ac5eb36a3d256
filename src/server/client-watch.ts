/** Whether an exchange waits for its client. */
export type Waiting =
  /** It waits for the client to send or to take bytes; `moved` counts the bytes that have moved in that direction. */
  | { readonly for: 'upload' | 'download'; readonly moved: number }
  /** It waits for the backend or for the gateway itself, so the client is not to blame. */
  | undefined;

/** What a sample says about a client: it is fine, it moved nothing for too long, or its upload is too slow. */
export type Verdict = 'fine' | 'idle' | 'slow';

/** How often samples are taken, and what a client must at least do. */
export interface WatchLimits {
  readonly tickSeconds: number;
  readonly idleSeconds: number;
  readonly minUploadBytesPerSecond: number;
}

/**
 * Judges by samples whether one client sends and takes bytes fast enough. Sampling keeps timers and clocks off the data
 * path. Only samples that found the client waited for count, so that a slow backend makes nobody a slow client.
 */
export class ClientWatch {
  readonly #limits: WatchLimits;
  #moved = 0;
  #stillTicks = 0;
  #windowTicks = 0;
  #windowStart = 0;

  constructor(limits: WatchLimits) {
    this.#limits = limits;
  }

  /**
   * Takes a sample. It must be called once a tick.
   * @returns `idle` if nothing moved for `idleSeconds`, `slow` if an upload brought too little, else `fine`
   */
  judge(waiting: Waiting): Verdict {
    const { tickSeconds, idleSeconds, minUploadBytesPerSecond } = this.#limits;
    if (waiting === undefined) {
      this.#stillTicks = 0;
      return 'fine';
    }
    this.#stillTicks = waiting.moved === this.#moved ? this.#stillTicks + 1 : 0;
    this.#moved = waiting.moved;
    if (this.#stillTicks * tickSeconds >= idleSeconds) return 'idle';
    if (waiting.for === 'download') return 'fine';
    this.#windowTicks++;
    const windowSeconds = this.#windowTicks * tickSeconds;
    if (windowSeconds < idleSeconds) return 'fine';
    const slow = waiting.moved - this.#windowStart < minUploadBytesPerSecond * windowSeconds;
    this.#windowTicks = 0;
    this.#windowStart = waiting.moved;
    return slow ? 'slow' : 'fine';
  }
}
