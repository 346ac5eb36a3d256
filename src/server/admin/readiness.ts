import { GatewayError } from '../../errors.ts';

/** Something that must be well for requests to be. */
export interface AdminDependency {
  readonly name: string;
  /** Resolves when it is; a text that it resolves to is shown (`4 of 4 listen`). Rejects when it is not. */
  readonly check: () => Promise<unknown>;
}

export interface DependencyState {
  readonly name: string;
  readonly ready: boolean;
  /** A code or a few words of our own; never another's error text. */
  readonly detail: string | undefined;
  readonly milliseconds: number;
}

export interface ReadinessReport {
  readonly ready: boolean;
  readonly dependencies: readonly DependencyState[];
}

/** However often somebody asks, the backend and the key store are asked this often. */
const CACHE_MILLISECONDS = 1000;
/** Shorter than the probes' own time-outs (3 s), so that they see which dependency it is. */
const CHECK_MILLISECONDS = 2500;

/** Whether this gateway should get requests, and if not, for whose sake. */
export class Readiness {
  readonly #dependencies: readonly AdminDependency[];
  readonly #clock: () => number;
  #stopping = false;
  #current: { readonly at: number; readonly report: Promise<ReadinessReport> } | undefined;

  constructor(options: {
    readonly dependencies: readonly AdminDependency[];
    /** Milliseconds, monotonic. */
    readonly clock?: (() => number) | undefined;
  }) {
    this.#dependencies = options.dependencies;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** From now on not ready: load balancers look elsewhere while requests in flight finish. */
  stop(): void {
    this.#stopping = true;
  }

  /** Never rejects. */
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

/** Why not, in words of our own that may be shown. */
export class NotReady extends Error {
  override readonly name = 'NotReady';
}

/** Codes only: messages of libraries name hosts, users and worse, and this page is often less guarded than the log. */
export function reasonOf(error: unknown): string {
  if (error instanceof NotReady) return error.message;
  if (error instanceof GatewayError) return error.code;
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code.slice(0, 60);
  return 'failed';
}
