import { AggregatorRegistry, Gauge, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';

/** The metrics of one process as plain data, as a worker sends them to its primary. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/**
 * Renders the metrics of all workers as one text. Counters and histograms are summed; gauges are combined as each says,
 * mostly summed too. The counts of a worker that was replaced are lost, which Prometheus handles as it handles any
 * counter reset.
 */
export async function aggregateMetrics(
  snapshots: readonly MetricsSnapshot[],
  workers: { readonly listening: number; readonly replaced: number },
): Promise<string> {
  const summed = AggregatorRegistry.aggregate(snapshots.map((snapshot) => [...snapshot]));
  return `${await summed.metrics()}${await workerMetrics(workers)}`;
}

export const METRICS_CONTENT_TYPE: string = Registry.PROMETHEUS_CONTENT_TYPE;

async function workerMetrics(workers: { readonly listening: number; readonly replaced: number }): Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, value: number) =>
    new Gauge({ name, help, registers: [registry] }).set(value);
  gauge('sealgate_workers', 'Worker processes that listen.', workers.listening);
  gauge('sealgate_workers_replaced', 'Worker processes that died and were replaced.', workers.replaced);
  return await registry.metrics();
}
