import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { MetricsSnapshot } from './aggregate.ts';
import { SeriesHistogram } from './histogram.ts';
import { BoundedLabel, methodLabel, statusClass } from './labels.ts';
import { RequestMetrics } from './request-metrics.ts';
import type { RequestRecord } from './request-record.ts';
import { Tally } from './tally.ts';

/** What the gauges need to know about the memory budget (shares/memory-budget.ts). */
export interface BudgetView {
  readonly reservedBytes: number;
  readonly limitBytes: number;
  /** How many reservations have been refused so far. */
  readonly refused: number;
}

/** Where the gauges get their values. They are read when somebody scrapes; absent ones count as 0. */
export interface MetricSources {
  readonly budget?: BudgetView | undefined;
  readonly uploadQuota?: { readonly refused: number } | undefined;
  /** How many requests wait for a connection to the backend. */
  readonly backendWaiting?: (() => number) | undefined;
  /** Returns the name of the known store that the gateway found behind it, or `unknown`. */
  readonly backendStore?: (() => string) | undefined;
  /** How many client connections are open now. */
  readonly connections?: (() => number) | undefined;
  readonly requestsInFlight?: (() => number) | undefined;
  /** The age of the oldest entry of the key cache that is still served, in seconds. */
  readonly keyCacheAgeSeconds?: (() => number) | undefined;
}

const BACKEND_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const KEY_STORE_SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/**
 * All metrics, in one registry; docs/metrics.md lists them. This class is the BackendObserver and the KeyStoreObserver
 * of those rooms. Labels come from bounded sets only (labels.ts). None holds a tenant, a bucket or anything else that a
 * client chooses.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests = new RequestMetrics(this.registry);
  readonly #sources: { -readonly [name in keyof MetricSources]: MetricSources[name] } = {};
  readonly #reason = new BoundedLabel(48);
  readonly #refused: Tally;
  readonly #backendSeconds: SeriesHistogram;
  readonly #backendFailures: Tally;
  readonly #backendRetries: Tally;
  readonly #gaveWay: Tally;
  #backendConnections: number | undefined;
  readonly #keyStoreSeconds: SeriesHistogram;
  readonly #keyStoreErrors: Tally;
  readonly #keyStoreRetries: Tally;
  readonly #keyStorePutBack: Tally;
  readonly #keyCache: Tally;
  readonly #etags: Tally;
  readonly #etagIndexFailures: Tally;

  /**
   * @param options `processMetrics` adds event loop, garbage collection and memory of this process, as prom-client
   * names them
   */
  constructor(options: { readonly processMetrics?: boolean } = {}) {
    const registry = this.registry;
    const tally = (name: string, help: string, labelNames: string[]) => new Tally(registry, { name, help, labelNames });
    this.#refused = tally('sealgate_refused_connections_total', 'Requests that were no proper HTTP, or too slow.', [
      'reason',
    ]);
    this.#backendSeconds = new SeriesHistogram(registry, {
      name: 'sealgate_backend_seconds',
      help: 'From a request to the backend to the head of its answer.',
      labelNames: ['method', 'status'],
      buckets: BACKEND_SECONDS,
    });
    this.#backendFailures = tally('sealgate_backend_failures_total', 'Requests that the backend did not answer.', [
      'method',
      'reason',
    ]);
    this.#backendRetries = tally('sealgate_backend_retries_total', 'Further attempts at the backend.', ['method']);
    this.#gaveWay = tally(
      'sealgate_gave_way_total',
      'Slow downloads and uploads whose connection to the backend went to somebody who waited.',
      ['kind'],
    );
    this.#keyStoreSeconds = new SeriesHistogram(registry, {
      name: 'sealgate_key_store_seconds',
      help: 'Operations of the key store.',
      labelNames: ['verb', 'outcome'],
      buckets: KEY_STORE_SECONDS,
    });
    this.#keyStoreErrors = tally('sealgate_key_store_errors_total', 'Operations of the key store that failed.', [
      'verb',
    ]);
    this.#keyStoreRetries = tally(
      'sealgate_key_store_retries_total',
      'Attempts to reach a key store whose connection was lost.',
      [],
    );
    this.#keyStorePutBack = tally(
      'sealgate_key_store_put_back_total',
      'Times that the key store gave a record, or a whole state, that is older than the last one.',
      ['what'],
    );
    this.#keyCache = tally('sealgate_key_cache_total', 'Look-ups in the cache of credentials, policies and keys.', [
      'outcome',
    ]);
    this.#etags = tally('sealgate_etags_total', 'MD5 ETags of objects that were shown, by where they were found.', [
      'source',
    ]);
    this.#etagIndexFailures = tally(
      'sealgate_etag_index_failures_total',
      'Times that the index of MD5 ETags was not read or written.',
      ['verb'],
    );
    this.#defineGauges();
    if (options.processMetrics ?? false) collectDefaultMetrics({ register: registry });
  }

  /** Names where the gauges get their values; later calls add to earlier ones. */
  watch(sources: MetricSources): void {
    Object.assign(this.#sources, sources);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** Returns the metrics of this process in Prometheus's text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Returns the same as plain data, to be summed with that of other workers (aggregate.ts). */
  async snapshot(): Promise<MetricsSnapshot> {
    return await this.registry.getMetricsAsJSON();
  }

  /** Counts a request that has ended. */
  request(record: RequestRecord): void {
    this.#requests.count(record);
  }

  /** Counts what the listener refused before it was a request. `reason` is a code of the parser or of the listener. */
  refused(reason: string): void {
    this.#refused.add(1, this.#reason.of(reason));
  }

  /**
   * Is called for every exchange with the backend: with undefined for an answer, else with why it failed
   * (availability.ts).
   */
  onBackend: ((failure: string | undefined) => void) | undefined;
  /** Is called for every operation of the key store. */
  onKeyStore: ((outcome: 'ok' | 'error') => void) | undefined;

  /** Implements BackendObserver. */
  answered(method: string, status: number, seconds: number): void {
    this.#backendSeconds.series(methodLabel(method), statusClass(status)).observe(seconds);
    this.onBackend?.(undefined);
  }

  /** Implements BackendObserver. */
  failed(method: string, reason: string): void {
    this.#backendFailures.add(1, methodLabel(method), this.#reason.of(reason));
    this.onBackend?.(reason);
  }

  /** Implements BackendObserver. */
  retried(method: string): void {
    this.#backendRetries.add(1, methodLabel(method));
  }

  /** Implements BackendObserver. */
  gaveWay(kind: 'download' | 'upload'): void {
    this.#gaveWay.add(1, kind);
  }

  /** Implements BackendObserver. */
  connections(open: number): void {
    this.#backendConnections = open;
  }

  /** Implements KeyStoreObserver. */
  operation(verb: string, seconds: number, outcome: 'ok' | 'error'): void {
    const label = this.#reason.of(verb);
    this.#keyStoreSeconds.series(label, outcome).observe(seconds);
    if (outcome === 'error') this.#keyStoreErrors.add(1, label);
    this.onKeyStore?.(outcome);
  }

  /**
   * Implements KeyStoreObserver. While keys are cached there are no operations that would tell that the store is away;
   * beats do.
   */
  beat(answered: boolean): void {
    this.onKeyStore?.(answered ? 'ok' : 'error');
  }

  /** Implements KeyStoreObserver. */
  cache(outcome: 'hit' | 'miss' | 'stale'): void {
    this.#keyCache.add(1, outcome);
  }

  /** Implements KeyStoreObserver. */
  reconnected(): void {
    this.#keyStoreRetries.add(1);
  }

  /** Implements KeyStoreObserver. */
  putBack(what: 'record' | 'store'): void {
    this.#keyStorePutBack.add(1, what);
  }

  /** Implements EtagObserver. */
  etagsFound(source: 'memory' | 'index' | 'footer', count: number): void {
    this.#etags.add(count, source);
  }

  /** Implements EtagIndexObserver. */
  indexFailed(verb: 'read' | 'write'): void {
    this.#etagIndexFailures.add(1, verb);
  }

  #defineGauges(): void {
    const sources = this.#sources;
    this.#gauge('sealgate_in_flight_bytes', 'Bytes that buffers may hold now.', () => sources.budget?.reservedBytes);
    this.#gauge('sealgate_in_flight_limit_bytes', 'Bytes that buffers may hold at most.', () => {
      return sources.budget?.limitBytes;
    });
    new Tally(this.registry, {
      name: 'sealgate_in_flight_refused_total',
      help: 'Requests refused because buffers were at their limit.',
      reading: () => sources.budget?.refused ?? 0,
    });
    new Tally(this.registry, {
      name: 'sealgate_uploads_refused_total',
      help: 'Multipart uploads refused because their tenant has too many open.',
      reading: () => sources.uploadQuota?.refused ?? 0,
    });
    this.#gauge('sealgate_connections', 'Client connections open now.', () => sources.connections?.());
    this.#gauge('sealgate_requests_in_flight', 'Requests not yet answered whole.', () => sources.requestsInFlight?.());
    this.#gauge('sealgate_backend_waiting', 'Requests that wait for a connection to the backend.', () =>
      sources.backendWaiting?.(),
    );
    this.#gauge('sealgate_backend_connections', 'Connections to the backend open now.', () => this.#backendConnections);
    new Gauge({
      name: 'sealgate_backend_store',
      help: 'Worker processes that found this store behind them.',
      labelNames: ['store'],
      registers: [this.registry],
      collect() {
        this.reset(); // the store may have been replaced by another one
        const store = sources.backendStore?.();
        if (store !== undefined) this.set({ store }, 1);
      },
    });
    this.#gauge(
      'sealgate_key_cache_age_seconds',
      'Age of the oldest entry that the key cache serves.',
      () => sources.keyCacheAgeSeconds?.(),
      'max',
    );
  }

  /** Defines a gauge. The workers' values are summed, except for gauges whose largest value is what matters. */
  #gauge(name: string, help: string, read: () => number | undefined, aggregator: 'sum' | 'max' = 'sum'): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      aggregator,
      collect() {
        this.set(read() ?? 0);
      },
    });
  }
}
