import type { GatewayError } from '../../errors.ts';
import { asGatewayError } from '../../errors.ts';
import type { IncomingResponse } from '../../wire/message.ts';
import {
  CAPABILITY_NAMES,
  CAPABILITY_WORDS,
  CAREFUL_CAPABILITIES,
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

/** How much the gateway knows of its store. */
export type FindingState =
  /** It has not found out yet, or the store seems to be another one since. */
  | 'looking'
  | 'found'
  /** The settings say everything, and nothing is tried. */
  | 'as set'
  /** It may not write where it would try the store. */
  | 'not tried';

/** What is told in the log, by `/readyz` and by `sealgate check`. */
export interface Finding {
  readonly state: FindingState;
  readonly store: KnownStore;
  /** What the gateway relies on, settings included. */
  readonly capabilities: Capabilities;
  /** The row that the store's answers name. */
  readonly claimed: KnownStore | undefined;
  /** Why it was not tried. */
  readonly reason: GatewayError | undefined;
}

export interface StoreFinderOptions {
  /** Tries the store. @throws GatewayError as `examine` does */
  readonly look: (signal: AbortSignal) => Promise<Look>;
  readonly knownStores: readonly KnownStore[];
  readonly overrides: StoreOverrides;
  /** Told of each finding that differs from the one before. */
  readonly onFinding: (finding: Finding) => void;
  /** In [0, 1). */
  readonly random: () => number;
  /** Which store it is, where the gateway runs it itself: then nothing is tried. */
  readonly certainly?: KnownStore | undefined;
  /** Default: FINDER_PERIODS. */
  readonly periods?: FinderPeriods | undefined;
}

export interface FinderPeriods {
  /** Between two looks, and about as long after one that was refused. */
  readonly againMilliseconds: number;
  /** After the first look that the store did not answer; doubled after each further one. */
  readonly retryMilliseconds: number;
  readonly longestRetryMilliseconds: number;
}

/** A store may be upgraded, or another may take its address, without a word. */
const FINDER_PERIODS: FinderPeriods = {
  againMilliseconds: 15 * 60_000,
  retryMilliseconds: 1000,
  longestRetryMilliseconds: 30_000,
};

/** Servers behind one address that are told apart; more would be a Server header that changes with every answer. */
const MOST_SERVERS = 16;

/**
 * Finds out what the store does, in the background, and goes on looking: while the store is away, from time to time, and
 * when answers begin to name another program. Until something is found it is as careful as with an unknown store.
 */
export class StoreFinder implements StoreFindings {
  readonly #options: StoreFinderOptions;
  readonly #periods: FinderPeriods;
  readonly #said: Partial<Capabilities>;
  readonly #stopped = new AbortController();
  #finding: Finding;
  /** The one that was told of last. */
  #told: Finding | undefined;
  #pending: readonly Capability[];
  /** Values of the header Server that belong to what was found. */
  readonly #servers = new Set<string>();
  #lastServer: string | undefined;
  /**
   * What made it look again. It is judged with what the look brings, even if none of the look's own answers bears it:
   * behind one address may be two programs, and the look may have met only the other.
   */
  #heard: StoreSigns | undefined;
  /** Grows when the store seems to be another one: what a look began to see before is worth nothing then. */
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
   * Looks now, and goes on looking.
   * @returns when the first look has brought something, or has failed. Never rejects
   */
  async start(): Promise<void> {
    if (this.#isSettled) return this.#tell(this.#finding, []);
    const first = Promise.withResolvers<void>();
    this.#runNow(first.resolve);
    await first.promise;
  }

  /** Looks once, to the end, and not again. Never rejects. */
  async lookOnce(): Promise<void> {
    if (this.#isSettled) return this.#tell(this.#finding, []);
    await this.#look(() => undefined);
    this.#stopped.abort();
    clearTimeout(this.#timer);
  }

  /** Settles when a look that was under way has removed what it wrote. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** On the way of every request: mostly two comparisons. */
  answered(answer: IncomingResponse): void {
    const server = answer.headers.get('server') ?? '';
    if (server === this.#lastServer) return;
    // Errors may be those of a proxy before the store.
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
    // Gateways that were started together do not look together.
    this.#timer = setTimeout(
      () => this.#runNow(() => undefined),
      waitMilliseconds * (0.75 + this.#options.random() / 2),
    );
    this.#timer.unref();
  }

  /** What is seen at once counts at once where it is worse; where it is better, once the look is whole. */
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
    const capabilities = { ...CAREFUL_CAPABILITIES, ...this.#said };
    return { state, store: UNKNOWN_STORE, capabilities, claimed: undefined, reason: undefined };
  }

  /** What decides what the gateway does, and no setting speaks of it. */
  #open(): readonly Capability[] {
    return CAPABILITY_NAMES.filter((name) => this.#said[name] === undefined && !CAPABILITY_WORDS[name].always);
  }

  /** Nothing is to be found out. */
  get #isSettled(): boolean {
    return this.#options.certainly !== undefined || this.#finding.state === 'as set';
  }

  #retryMilliseconds(): number {
    const { retryMilliseconds, longestRetryMilliseconds } = this.#periods;
    return Math.min(retryMilliseconds * 2 ** this.#failures++, longestRetryMilliseconds);
  }
}

/** What was found of a store, with what the operator said of it. */
export function foundAs({ store, claimed, capabilities }: FoundStore, said: Partial<Capabilities>): Finding {
  return { state: 'found', store, claimed, capabilities: { ...capabilities, ...said }, reason: undefined };
}

/** The same of a store that the gateway runs itself. */
export function certainlyAs(store: KnownStore, said: Partial<Capabilities>): Finding {
  return foundAs({ store, claimed: store, capabilities: store.capabilities }, said);
}

/** Findings that are worth a line each. */
function isSame(one: Finding, other: Finding): boolean {
  return (
    one.state === other.state &&
    one.store === other.store &&
    one.reason?.code === other.reason?.code &&
    CAPABILITY_NAMES.every((name) => one.capabilities[name] === other.capabilities[name])
  );
}
