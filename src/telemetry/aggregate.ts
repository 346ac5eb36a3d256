import { AggregatorRegistry, Gauge, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';

/** One process's metrics as plain data: what a worker sends to its primary. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/**
 * One exposition for all workers: counters and histograms summed, gauges as each says (mostly summed). A replaced
 * worker's counts are gone with it; Prometheus takes that for the counter reset that it is.
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
