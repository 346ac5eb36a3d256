import type { Registry } from 'prom-client';
import type { ErrorCode } from '../errors.ts';
import { type HistogramSeries, SeriesHistogram } from './histogram.ts';
import { BoundedLabel, statusLabel } from './labels.ts';
import type { RequestRecord } from './request-record.ts';
import { type Cell, Tally } from './tally.ts';

/** The upper bounds for requests, from a small cached object to a large one over a slow line; in seconds. */
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/**
 * The upper bounds for the cipher time of one request, in seconds: 4 KiB take some microseconds, a GiB half a second.
 */
const CIPHER_SECONDS = [0.00001, 0.0001, 0.001, 0.01, 0.1, 1, 10];

/**
 * Codes that concern who sent a request and what they may do. They are counted by code, because a burst of one of them
 * is an attack.
 */
const AUTHENTICATION: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'AccessDenied',
  'AnonymousRequest',
  'AuthorizationHeaderMalformed',
  'AuthorizationQueryParametersError',
  'ExpiredRequest',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
]);

/** The counters to which one kind of request adds; they are looked up once. */
interface Series {
  readonly requests: Cell;
  readonly bytesIn: Cell;
  readonly bytesOut: Cell;
  readonly seconds: HistogramSeries;
  readonly firstByteSeconds: HistogramSeries;
}

/** Counts requests that have ended. */
export class RequestMetrics {
  readonly #series = new Map<string, Series>();
  readonly #dialect = new BoundedLabel(16);
  readonly #operation = new BoundedLabel(96);
  readonly #code = new BoundedLabel(96);
  readonly #requests: Tally;
  readonly #bytesIn: Tally;
  readonly #bytesOut: Tally;
  readonly #errors: Tally;
  readonly #authentication: Tally;
  readonly #unfinished: Tally;
  readonly #warnings: Tally;
  readonly #lostEnvelopes: Tally;
  readonly #unprotected: Tally;
  readonly #seconds: SeriesHistogram;
  readonly #firstByteSeconds: SeriesHistogram;
  readonly #sealSeconds: HistogramSeries;
  readonly #openSeconds: HistogramSeries;

  constructor(registry: Registry) {
    const kind = ['dialect', 'operation'];
    const tally = (name: string, help: string, labelNames: string[]) => new Tally(registry, { name, help, labelNames });
    const histogram = (name: string, help: string, labelNames: string[], buckets: number[]) =>
      new SeriesHistogram(registry, { name, help, labelNames, buckets });

    this.#requests = tally('sealgate_requests_total', 'Requests that are over.', [...kind, 'status', 'error_source']);
    this.#bytesIn = tally('sealgate_request_bytes_total', 'Body bytes taken from clients.', kind);
    this.#bytesOut = tally('sealgate_response_bytes_total', 'Body bytes given to clients.', kind);
    this.#errors = tally('sealgate_errors_total', 'Error answers, and answers cut short.', ['code', 'source']);
    this.#authentication = tally('sealgate_authentication_failures_total', 'Requests refused for who sent them.', [
      'reason',
    ]);
    this.#unfinished = tally('sealgate_unfinished_responses_total', 'Answers that did not go out whole.', ['by']);
    this.#warnings = tally('sealgate_policy_warnings_total', 'Claims that failed and that policy let pass.', ['claim']);
    this.#lostEnvelopes = tally(
      'sealgate_lost_envelopes_total',
      'Objects of mixed buckets that begin as sealed ones do and have no envelope: refused.',
      [],
    );
    this.#unprotected = tally(
      'sealgate_unencrypted_objects_total',
      'Objects that the backend should have encrypted by itself (protection inject), and has not.',
      [],
    );
    this.#seconds = histogram(
      'sealgate_request_seconds',
      'From the head of a request to the end of its answer.',
      kind,
      REQUEST_SECONDS,
    );
    this.#firstByteSeconds = histogram(
      'sealgate_first_byte_seconds',
      'From the head of a request to the head of its answer.',
      kind,
      REQUEST_SECONDS,
    );
    this.#sealSeconds = histogram('sealgate_seal_seconds', 'Cipher time of an upload.', [], CIPHER_SECONDS).series();
    this.#openSeconds = histogram('sealgate_open_seconds', 'Cipher time of a download.', [], CIPHER_SECONDS).series();
  }

  count(record: RequestRecord): void {
    const series = this.#seriesOf(record);
    series.requests.pending++;
    series.bytesIn.pending += record.bytesIn;
    series.bytesOut.pending += record.bytesOut;
    series.seconds.observe(record.seconds);
    if (record.firstByteSeconds !== undefined) series.firstByteSeconds.observe(record.firstByteSeconds);
    if (record.sealSeconds > 0) this.#sealSeconds.observe(record.sealSeconds);
    if (record.openSeconds > 0) this.#openSeconds.observe(record.openSeconds);
    if (record.outcome !== 'complete') {
      this.#unfinished.add(1, record.outcome === 'client-gone' ? 'client' : 'gateway');
    }
    if (record.errorCode !== undefined) this.#countError(record, record.errorCode);
    if (record.lostEnvelopes > 0) this.#lostEnvelopes.add(record.lostEnvelopes);
    if (record.unprotected > 0) this.#unprotected.add(record.unprotected);
    if (record.warnings !== undefined) for (const claim of record.warnings) this.#warnings.add(1, this.#code.of(claim));
  }

  #countError(record: RequestRecord, code: ErrorCode): void {
    const source = record.errorSource ?? 'none';
    this.#errors.add(1, this.#code.of(code), source);
    if (source === 'client' && AUTHENTICATION.has(code)) this.#authentication.add(1, code);
  }

  #seriesOf(record: RequestRecord): Series {
    const key = `${record.dialect} ${record.operation} ${record.status} ${record.errorSource}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const dialect = this.#dialect.of(record.dialect);
    const operation = this.#operation.of(record.operation);
    const series: Series = {
      requests: this.#requests.cell(dialect, operation, statusLabel(record.status), record.errorSource ?? 'none'),
      bytesIn: this.#bytesIn.cell(dialect, operation),
      bytesOut: this.#bytesOut.cell(dialect, operation),
      seconds: this.#seconds.series(dialect, operation),
      firstByteSeconds: this.#firstByteSeconds.series(dialect, operation),
    };
    // The key is made of what clients sent, so the number of keys is bounded here; the labels do not bound it.
    if (this.#series.size < MAX_SERIES) this.#series.set(key, series);
    return series;
  }
}

const MAX_SERIES = 10_000;
