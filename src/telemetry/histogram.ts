import type { Metric, Registry } from 'prom-client';

/** One series of a histogram. */
export class HistogramSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: Float64Array;
  readonly #bounds: readonly number[];
  sum = 0;
  /** Past the last bound, too. */
  count = 0;

  constructor(bounds: readonly number[], labels: Readonly<Record<string, string>>) {
    this.#bounds = bounds;
    this.labels = labels;
    this.counts = new Float64Array(bounds.length);
  }

  observe(seconds: number): void {
    const bounds = this.#bounds;
    this.sum += seconds;
    this.count++;
    for (let at = 0; at < bounds.length; at++) {
      if (seconds <= (bounds[at] as number)) {
        this.counts[at] = (this.counts[at] as number) + 1;
        return;
      }
    }
  }
}

interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export interface HistogramOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
}

/**
 * A histogram whose hot path is a short loop over numbers. prom-client's own validates and hashes the labels at every
 * observation (0.4 µs, four a request). It looks like one to the registry, to exposition and to aggregation.
 */
export class SeriesHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly labelNames: readonly string[];
  readonly #buckets: readonly number[];
  readonly #series = new Map<string, HistogramSeries>();

  constructor(registry: Registry, options: HistogramOptions) {
    this.name = options.name;
    this.help = options.help;
    this.labelNames = options.labelNames;
    this.#buckets = options.buckets;
    if (options.labelNames.length === 0) this.series();
    registry.registerMetric(this as unknown as Metric);
  }

  /** The series of these label values, in the order of the names. Values must come from a bounded set. */
  series(...values: string[]): HistogramSeries {
    const key = values.join('\n');
    let series = this.#series.get(key);
    if (series === undefined) {
      const labels = Object.fromEntries(this.labelNames.map((name, at) => [name, values[at] as string]));
      series = new HistogramSeries(this.#buckets, labels);
      this.#series.set(key, series);
    }
    return series;
  }

  /** What the registry asks of a metric. */
  async get(): Promise<object> {
    const values = [...this.#series.values()].flatMap((series) => this.#samples(series));
    return { name: this.name, help: this.help, type: this.type, aggregator: this.aggregator, values };
  }

  /** Buckets are cumulative in the exposition; `le` comes first, as prom-client has it. */
  #samples(series: HistogramSeries): Sample[] {
    let upTo = 0;
    const samples: Sample[] = this.#buckets.map((le, at) => {
      upTo += series.counts[at] as number;
      return { metricName: `${this.name}_bucket`, labels: { le, ...series.labels }, value: upTo };
    });
    return [
      ...samples,
      { metricName: `${this.name}_bucket`, labels: { le: '+Inf', ...series.labels }, value: series.count },
      { metricName: `${this.name}_sum`, labels: series.labels, value: series.sum },
      { metricName: `${this.name}_count`, labels: series.labels, value: series.count },
    ];
  }
}
