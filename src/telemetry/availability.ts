import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/**
 * How many failures in a row mean that a dependency is away. An idle connection that was closed fails one request only.
 */
const FAILURES = 3;

/** Logs one line when a dependency goes away, and one when it is back. The lines of requests tell the rest. */
export class Availability {
  readonly #dependency: string;
  readonly #log: Pick<Log, 'info' | 'warn'>;
  readonly #clock: () => number;
  /** How many times it has failed since it last answered. */
  #failures = 0;
  #awaySince: number | undefined;

  /** @param clock returns a monotonic time in milliseconds */
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

  /** @param reason one of a bounded set, or a code */
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

/** Makes the metrics tell the log, from now on, when the backend or the key store goes away or comes back. */
export function tellAvailability(metrics: Metrics, log: Pick<Log, 'info' | 'warn'>): void {
  const backend = new Availability('backend', log);
  const keys = new Availability('key store', log);
  metrics.onBackend = (failure) => (failure === undefined ? backend.answered() : backend.failed(failure));
  metrics.onKeyStore = (outcome) => (outcome === 'ok' ? keys.answered() : keys.failed('no answer'));
}
