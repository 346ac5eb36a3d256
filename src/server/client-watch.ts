/** What an exchange waits for, as far as its client is concerned. */
export type Waiting =
  /** For the client to send, or to take, bytes; `moved` counts those that moved in that direction. */
  | { readonly for: 'upload' | 'download'; readonly moved: number }
  /** For the backend or for the gateway itself: the client is not to blame. */
  | undefined;

export type Verdict = 'fine' | 'idle' | 'slow';

export interface WatchLimits {
  readonly tickSeconds: number;
  readonly idleSeconds: number;
  readonly minUploadBytesPerSecond: number;
}

/**
 * Judges one client's patience by samples. Sampling keeps timers and clock calls off the data path, and only samples
 * that found the client at fault count: a slow backend makes nobody a slow client.
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

  /** Call once a tick. */
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
