import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** A connection that was closed while it was idle fails one request; a dependency that is away fails all. */
const FAILURES = 3;

/** One line when a dependency goes away, one when it is back: the lines of requests tell the rest. */
export class Availability {
  readonly #dependency: string;
  readonly #log: Pick<Log, 'info' | 'warn'>;
  readonly #clock: () => number;
  /** Since it last answered. */
  #failures = 0;
  #awaySince: number | undefined;

  /** @param clock milliseconds, monotonic */
  constructor(dependency: string, log: Pick<Log, 'info' | 'warn'>, clock: () => number = () => performance.now()) {
    this.#dependency = dependency;
    this.#log = log;
    this.#clock = clock;
  }

  answered(): void {
    this.#failures = 0;
    if (this.#awaySince === undefined) return;
    const milliseconds = Math.round(this.#clock() - this.#awaySince);
    this.#awaySince = undefined;
    this.#log.info(`the ${this.#dependency} is back`, { dependency: this.#dependency, milliseconds });
  }

  /** @param reason of a bounded set, or a code */
  failed(reason: string): void {
    this.#failures++;
    if (this.#failures >= FAILURES) this.#away(reason);
  }

  #away(reason: string): void {
    if (this.#awaySince !== undefined) return;
    this.#awaySince = this.#clock();
    this.#log.warn(`the ${this.#dependency} is away`, { dependency: this.#dependency, reason });
  }
}

/** From now on the log tells of both dependencies what the measures hear of them. */
export function tellAvailability(metrics: Metrics, log: Pick<Log, 'info' | 'warn'>): void {
  const backend = new Availability('backend', log);
  const keys = new Availability('key store', log);
  metrics.onBackend = (failure) => (failure === undefined ? backend.answered() : backend.failed(failure));
  metrics.onKeyStore = (outcome) => (outcome === 'ok' ? keys.answered() : keys.failed('no answer'));
}
