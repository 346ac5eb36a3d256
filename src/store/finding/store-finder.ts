import type { GatewayError } from '../../errors.ts';
import { asGatewayError } from '../../errors.ts';
import type { IncomingResponse } from '../../wire/message.ts';
import {
  ASSUMED_CAPABILITIES,
  CAPABILITY_NAMES,
  CAPABILITY_WORDS,
  type Capabilities,
  type Capability,
  capabilitiesThat,
  type StoreFindings,
} from '../capabilities.ts';
import { type KnownStore, type StoreSigns, signsOf, UNKNOWN_STORE } from '../known-stores.ts';
import { type Examination, type FoundStore, judge } from './evidence.ts';
import type { Look } from './examine.ts';
import { overridden, type StoreOverrides } from './overrides.ts';
import { isAway } from './probes.ts';

/** How much the gateway knows about its store. */
export type FindingState =
  /** It has not found out yet, or the store seems to have been replaced by another one. */
  | 'looking'
  | 'found'
  /** The settings say everything, so nothing is tried. */
  | 'as set'
  /** It could not write to the place where it would try the store. */
  | 'not tried';

/** What the log, `/readyz` and `sealgate check` show. */
export interface Finding {
  readonly state: FindingState;
  readonly store: KnownStore;
  /** On what the gateway relies, settings included. */
  readonly capabilities: Capabilities;
  /** The known store that the store's answers name. */
  readonly claimed: KnownStore | undefined;
  /** Why the store was not tried. */
  readonly reason: GatewayError | undefined;
}

export interface StoreFinderOptions {
  /**
   * Tries the store.
   * @throws GatewayError as `examine` does
   */
  readonly look: (signal: AbortSignal) => Promise<Look>;
  readonly knownStores: readonly KnownStore[];
  readonly overrides: StoreOverrides;
  /** Is called with each finding that differs from the one before. */
  readonly onFinding: (finding: Finding) => void;
  /** Returns a number in [0, 1). */
  readonly random: () => number;
  /** The store, if the gateway runs it itself; then nothing is tried. */
  readonly certainly?: KnownStore | undefined;
  /** The default is FINDER_PERIODS. */
  readonly periods?: FinderPeriods | undefined;
}

/** When the store is looked at again. */
export interface FinderPeriods {
  /** The time between two looks, and about as long after one that was refused. */
  readonly againMilliseconds: number;
  /** The wait after the first look that the store did not answer; it doubles with each further one. */
  readonly retryMilliseconds: number;
  readonly longestRetryMilliseconds: number;
}

/** The gateway looks again, because a store may be upgraded, or replaced at its address, without notice. */
const FINDER_PERIODS: FinderPeriods = {
  againMilliseconds: 15 * 60_000,
  retryMilliseconds: 1000,
  longestRetryMilliseconds: 30_000,
};

/** How many values of the header Server are told apart. More would mean that the header changes with every answer. */
const MOST_SERVERS = 16;

/**
 * Finds out in the background what the store does, and goes on looking: from time to time, also while the store does
 * not answer, and whenever answers begin to name another program. Until it has found something, it assumes an unknown
 * store.
 */
export class StoreFinder implements StoreFindings {
  readonly #options: StoreFinderOptions;
  readonly #periods: FinderPeriods;
  readonly #said: Partial<Capabilities>;
  readonly #stopped = new AbortController();
  #finding: Finding;
  /** The finding that `onFinding` was last called with. */
  #told: Finding | undefined;
  #pending: readonly Capability[];
  /** The values of the header Server that belong to what was found. */
  readonly #servers = new Set<string>();
  #lastServer: string | undefined;
  /**
   * The signs that made it look again. They are judged together with what the look brings, even if none of the look's
   * own answers has them: two programs may answer at one address, and the look may have met only the other one.
   */
  #heard: StoreSigns | undefined;
  /** Grows when the store seems to be another one. The results of a look that began before that are dropped. */
  #era = 0;
  #looking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;

  constructor(options: StoreFinderOptions) {
    this.#options = options;
    this.#periods = options.periods ?? FINDER_PERIODS;
    this.#said = overridden(options.overrides);
    const { certainly } = options;
    this.#finding = certainly === undefined ? this.#nothingFound('looking') : certainlyAs(certainly, this.#said);
    if (this.#finding.state === 'looking' && this.#open().length === 0) this.#finding = this.#nothingFound('as set');
    this.#pending = this.#finding.state === 'looking' ? this.#open() : [];
  }

  get capabilities(): Capabilities {
    return this.#finding.capabilities;
  }

  get pending(): readonly Capability[] {
    return this.#pending;
  }

  get finding(): Finding {
    return this.#finding;
  }

  /**
   * Begins to look, and goes on looking.
   * @returns when the first look has brought something, or has failed; it never rejects
   */
  async start(): Promise<void> {
    if (this.#isSettled) return this.#tell(this.#finding, []);
    const first = Promise.withResolvers<void>();
    this.#runNow(first.resolve);
    await first.promise;
  }

  /** Looks once, to the end, and not again. It never rejects. */
  async lookOnce(): Promise<void> {
    if (this.#isSettled) return this.#tell(this.#finding, []);
    await this.#look(() => undefined);
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }

  /** Stops looking. It resolves when a look under way has removed what it wrote. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** Is called for every answer of the store, so it mostly costs two comparisons. */
  answered(answer: IncomingResponse): void {
    const server = answer.headers.get('server') ?? '';
    if (server === this.#lastServer) return;
    // Errors are ignored, because they may come from a proxy before the store.
    if (answer.status < 200 || answer.status >= 300 || this.#finding.state !== 'found' || this.#isSettled) return;
    this.#lastServer = server;
    if (this.#servers.has(server)) return;
    const signs = signsOf(answer);
    if (this.#servers.size >= MOST_SERVERS && !this.#options.knownStores.some((row) => row.isNamedBy(signs))) return;
    this.#heard = signs;
    this.#era++;
    this.#tell(this.#nothingFound('looking'), this.#open());
    this.#runNow(() => undefined);
  }

  #runNow(onFirst: () => void): void {
    const before = this.#looking ?? Promise.resolve();
    const looking = before.then(() => this.#look(onFirst));
    this.#looking = looking;
    void looking.then(() => {
      if (this.#looking === looking) this.#looking = undefined;
    });
  }

  async #look(onFirst: () => void): Promise<void> {
    clearTimeout(this.#timer);
    const { signal } = this.#stopped;
    const era = this.#era;
    let waitMilliseconds = this.#periods.againMilliseconds;
    try {
      const { atOnce, whole } = await this.#options.look(signal);
      if (era === this.#era) this.#takeFirst(atOnce);
      onFirst();
      const examined = await whole;
      if (era === this.#era) this.#take(examined);
      this.#failures = 0;
    } catch (thrown) {
      const error = asGatewayError(thrown);
      if (isAway(error)) waitMilliseconds = this.#retryMilliseconds();
      else if (this.#finding.state !== 'found') this.#tell({ ...this.#nothingFound('not tried'), reason: error }, []);
      onFirst();
    }
    if (signal.aborted) return;
    // The wait is random, so that gateways that were started together do not look together.
    this.#timer = setTimeout(
      () => this.#runNow(() => undefined),
      waitMilliseconds * (0.75 + this.#options.random() / 2),
    );
    this.#timer.unref();
  }

  /**
   * Takes what is seen at once. It counts now if it is worse than what is known, and when the look is complete if it is
   * better.
   */
  #takeFirst(examination: Examination): void {
    const seen = this.#judged(examination);
    for (const { server } of examination.signs) this.#servers.add(server);
    if (this.#finding.state !== 'found') {
      this.#set(seen, []);
      return;
    }
    const { capabilities } = this.#finding;
    const stays = (name: Capability) => name === 'tornUploadsVanish' || seen.capabilities[name];
    this.#set({ ...this.#finding, capabilities: capabilitiesThat((name) => capabilities[name] && stays(name)) }, []);
  }

  #take(examination: Examination): void {
    this.#servers.clear();
    for (const { server } of examination.signs) this.#servers.add(server);
    if (this.#heard !== undefined) this.#servers.add(this.#heard.server);
    this.#tell(this.#judged(examination), []);
  }

  #judged({ signs, evidence }: Examination): Finding {
    const all = this.#heard === undefined ? signs : [...signs, this.#heard];
    return foundAs(judge({ signs: all, evidence }, this.#options.knownStores), this.#said);
  }

  #tell(finding: Finding, pending: readonly Capability[]): void {
    this.#set(finding, pending);
    if (this.#told !== undefined && isSame(this.#told, finding)) return;
    this.#told = finding;
    this.#options.onFinding(finding);
  }

  #set(finding: Finding, pending: readonly Capability[]): void {
    this.#finding = finding;
    this.#pending = pending;
  }

  #nothingFound(state: FindingState): Finding {
    const capabilities = { ...ASSUMED_CAPABILITIES, ...this.#said };
    return { state, store: UNKNOWN_STORE, capabilities, claimed: undefined, reason: undefined };
  }

  /** Returns the capabilities that decide what the gateway does and that no setting mentions. */
  #open(): readonly Capability[] {
    return CAPABILITY_NAMES.filter((name) => {
      const { always, aside } = CAPABILITY_WORDS[name];
      return this.#said[name] === undefined && !always && !aside;
    });
  }

  /** Whether there is nothing to find out. */
  get #isSettled(): boolean {
    return this.#options.certainly !== undefined || this.#finding.state === 'as set';
  }

  #retryMilliseconds(): number {
    const { retryMilliseconds, longestRetryMilliseconds } = this.#periods;
    return Math.min(retryMilliseconds * 2 ** this.#failures++, longestRetryMilliseconds);
  }
}

/** Makes a finding of what was found out about a store and what the operator has set. */
export function foundAs({ store, claimed, capabilities }: FoundStore, said: Partial<Capabilities>): Finding {
  return { state: 'found', store, claimed, capabilities: { ...capabilities, ...said }, reason: undefined };
}

/** Makes the finding about a store that the gateway runs itself. */
export function certainlyAs(store: KnownStore, said: Partial<Capabilities>): Finding {
  return foundAs({ store, claimed: store, capabilities: store.capabilities }, said);
}

/** Whether two findings need not be reported separately. */
function isSame(one: Finding, other: Finding): boolean {
  return (
    one.state === other.state &&
    one.store === other.store &&
    one.reason?.code === other.reason?.code &&
    CAPABILITY_NAMES.every((name) => one.capabilities[name] === other.capabilities[name])
  );
}
