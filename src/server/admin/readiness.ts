import { GatewayError } from '../../errors.ts';

/** Something without which the gateway cannot serve requests. */
export interface AdminDependency {
  readonly name: string;
  /**
   * Resolves if the dependency works; a text that it resolves to is shown, such as `4 of 4 listen`. It rejects
   * otherwise.
   */
  readonly check: () => Promise<unknown>;
}

/** How one dependency answered, and how long that took. */
export interface DependencyState {
  readonly name: string;
  readonly ready: boolean;
  /** A code or the gateway's own words; never the text of an error that a library threw. */
  readonly detail: string | undefined;
  readonly milliseconds: number;
}

export interface ReadinessReport {
  readonly ready: boolean;
  readonly dependencies: readonly DependencyState[];
}

/** The backend and the key store are asked this often at most, however often somebody asks for the report. */
const CACHE_MILLISECONDS = 1000;
/** This is shorter than the usual time-out of probes (3 s), so that they are told which dependency hangs. */
const CHECK_MILLISECONDS = 2500;

/** Tells whether this gateway should get requests, and if not, which dependency fails. */
export class Readiness {
  readonly #dependencies: readonly AdminDependency[];
  readonly #clock: () => number;
  #stopping = false;
  #current: { readonly at: number; readonly report: Promise<ReadinessReport> } | undefined;

  constructor(options: {
    readonly dependencies: readonly AdminDependency[];
    /** Returns a monotonic time in milliseconds. */
    readonly clock?: (() => number) | undefined;
  }) {
    this.#dependencies = options.dependencies;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /**
   * Reports from now on that it is not ready, so that load balancers send requests elsewhere while those in flight
   * finish.
   */
  stop(): void {
    this.#stopping = true;
  }

  /** Returns the report, which is at most a second old. It never rejects. */
  report(): Promise<ReadinessReport> {
    if (this.#stopping) {
      const detail = 'the gateway is stopping';
      return Promise.resolve({
        ready: false,
        dependencies: [{ name: 'gateway', ready: false, detail, milliseconds: 0 }],
      });
    }
    const now = this.#clock();
    if (this.#current === undefined || now - this.#current.at >= CACHE_MILLISECONDS) {
      this.#current = { at: now, report: this.#ask() };
    }
    return this.#current.report;
  }

  async #ask(): Promise<ReadinessReport> {
    const dependencies = await Promise.all(this.#dependencies.map((dependency) => this.#check(dependency)));
    return { ready: dependencies.every(({ ready }) => ready), dependencies };
  }

  async #check({ name, check }: AdminDependency): Promise<DependencyState> {
    const startedAt = this.#clock();
    const state = (ready: boolean, detail: string | undefined): DependencyState => {
      return { name, ready, detail, milliseconds: Math.round(this.#clock() - startedAt) };
    };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<DependencyState>((resolve) => {
      timer = setTimeout(() => resolve(state(false, 'no answer in time')), CHECK_MILLISECONDS);
    });
    const checked = Promise.resolve()
      .then(check)
      .then(
        (detail) => state(true, typeof detail === 'string' ? detail : undefined),
        (error: unknown) => state(false, reasonOf(error)),
      );
    const outcome = await Promise.race([checked, late]);
    clearTimeout(timer);
    return outcome;
  }
}

/** Says why a dependency is not ready, in the gateway's own words, which may be shown. */
export class NotReady extends Error {
  override readonly name = 'NotReady';
}

/**
 * Returns what may be shown of an error: its code. Messages of libraries name hosts, users and worse, and this page is
 * often less guarded than the log.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof NotReady) return error.message;
  if (error instanceof GatewayError) return error.code;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code.slice(0, 60);
  return 'failed';
}
