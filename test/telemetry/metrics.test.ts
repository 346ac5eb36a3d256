import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { aggregateMetrics } from '../../src/telemetry/aggregate.ts';
import { BoundedLabel } from '../../src/telemetry/labels.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { record } from './record.ts';

/** The value of the series that begins so. */
function value(exposition: string, series: string): number | undefined {
  const line = exposition.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('metrics of requests', () => {
  it('count by dialect, operation, status and source', async () => {
    const metrics = new Metrics();
    metrics.request(record());
    metrics.request(record({ bytesIn: 10 }));
    metrics.request(record({ status: 403, errorCode: 'SignatureDoesNotMatch', errorSource: 'client', bytesOut: 100 }));
    const text = await metrics.text();
    const kind = 'dialect="s3",operation="GetObject"';
    expect(value(text, `sealgate_requests_total{${kind},status="200",error_source="none"}`)).toBe(2);
    expect(value(text, `sealgate_requests_total{${kind},status="403",error_source="client"}`)).toBe(1);
    expect(value(text, `sealgate_request_bytes_total{${kind}}`)).toBe(10);
    expect(value(text, `sealgate_response_bytes_total{${kind}}`)).toBe(8292);
    expect(value(text, `sealgate_request_seconds_count{${kind}}`)).toBe(3);
    expect(value(text, `sealgate_request_seconds_bucket{le="0.025",${kind}}`)).toBe(3);
    expect(value(text, `sealgate_request_seconds_bucket{le="0.01",${kind}}`)).toBe(0);
    expect(value(text, `sealgate_first_byte_seconds_bucket{le="0.01",${kind}}`)).toBe(3);
    expect(value(text, 'sealgate_open_seconds_count')).toBe(3);
    expect(value(text, 'sealgate_seal_seconds_count')).toBe(0);
    expect(value(text, 'sealgate_errors_total{code="SignatureDoesNotMatch",source="client"}')).toBe(1);
    expect(value(text, 'sealgate_authentication_failures_total{reason="SignatureDoesNotMatch"}')).toBe(1);
  });

  it('are the same however often they are read', async () => {
    const metrics = new Metrics();
    metrics.request(record());
    metrics.watch({ budget: { reservedBytes: 1, limitBytes: 2, refused: 3 } });
    const first = await metrics.text();
    expect(await metrics.text()).toBe(first);
    expect(value(first, 'sealgate_in_flight_refused_total')).toBe(3);
  });

  it('take the backend’s refusal of our credentials for no authentication failure of a client', async () => {
    const metrics = new Metrics();
    metrics.request(record({ status: 403, errorCode: 'AccessDenied', errorSource: 'backend' }));
    expect(await metrics.text()).not.toContain('sealgate_authentication_failures_total{');
  });

  it('tell who did not see an answer through, and which claims were let pass', async () => {
    const metrics = new Metrics();
    metrics.request(record({ outcome: 'client-gone' }));
    metrics.request(record({ outcome: 'cut', warnings: ['location', 'metadata'] }));
    const text = await metrics.text();
    expect(value(text, 'sealgate_unfinished_responses_total{by="client"}')).toBe(1);
    expect(value(text, 'sealgate_unfinished_responses_total{by="gateway"}')).toBe(1);
    expect(value(text, 'sealgate_policy_warnings_total{claim="location"}')).toBe(1);
  });

  it('do not grow with what clients send', async () => {
    const metrics = new Metrics();
    for (let count = 0; count < 5000; count++) {
      metrics.request(record({ operation: `Operation${count}`, dialect: `d${count}`, status: count }));
      metrics.refused(`reason${count}`);
      metrics.answered(`METHOD${count}`, count, 0.1);
      metrics.failed(`METHOD${count}`, `reason ${count}`);
    }
    const text = await metrics.text();
    expect(text).toContain('operation="other"');
    const operations = new Set([...text.matchAll(/operation="([^"]*)"/g)].map((match) => match[1]));
    expect(operations.size).toBeLessThanOrEqual(98);
    expect(text).not.toContain('METHOD');
    expect(text).not.toContain('reason 1');
  });
});

describe('metrics of the backend and of the key store', () => {
  it('count answers, failures, retries and connections', async () => {
    const metrics = new Metrics();
    metrics.answered('GET', 206, 0.004);
    metrics.answered('GET', 503, 0.004);
    metrics.failed('PUT', 'ECONNRESET');
    metrics.retried('GET');
    metrics.gaveWay('download');
    metrics.watch({ backendWaiting: () => 3 });
    metrics.connections(7);
    const text = await metrics.text();
    expect(value(text, 'sealgate_backend_seconds_count{method="GET",status="2xx"}')).toBe(1);
    expect(value(text, 'sealgate_backend_seconds_count{method="GET",status="5xx"}')).toBe(1);
    expect(value(text, 'sealgate_backend_failures_total{method="PUT",reason="ECONNRESET"}')).toBe(1);
    expect(value(text, 'sealgate_backend_retries_total{method="GET"}')).toBe(1);
    expect(value(text, 'sealgate_backend_connections')).toBe(7);
    expect(value(text, 'sealgate_gave_way_total{kind="download"}')).toBe(1);
    expect(value(text, 'sealgate_backend_waiting')).toBe(3);
  });

  it('count operations and look-ups, and show the cache’s age', async () => {
    const metrics = new Metrics();
    metrics.operation('get', 0.002, 'ok');
    metrics.operation('get', 0.002, 'error');
    metrics.cache('hit');
    metrics.cache('stale');
    metrics.reconnected();
    metrics.watch({ keyCacheAgeSeconds: () => 12 });
    const text = await metrics.text();
    expect(value(text, 'sealgate_key_store_seconds_count{verb="get",outcome="ok"}')).toBe(1);
    expect(value(text, 'sealgate_key_store_errors_total{verb="get"}')).toBe(1);
    expect(value(text, 'sealgate_key_cache_total{outcome="hit"}')).toBe(1);
    expect(value(text, 'sealgate_key_store_retries_total')).toBe(1);
    expect(value(text, 'sealgate_key_cache_age_seconds')).toBe(12);
  });
});

describe('metrics of several workers', () => {
  it('are summed, but for ages', async () => {
    const workers = [new Metrics(), new Metrics()];
    workers.forEach((metrics, at) => {
      for (let count = 0; count <= at; count++) metrics.request(record());
      metrics.watch({
        budget: { reservedBytes: 10, limitBytes: 100, refused: 1 },
        keyCacheAgeSeconds: () => 5 + at,
      });
    });
    const snapshots = await Promise.all(workers.map((metrics) => metrics.snapshot()));
    // As they arrive over the workers' channel.
    const text = await aggregateMetrics(structuredClone(JSON.parse(JSON.stringify(snapshots))), {
      listening: 2,
      replaced: 1,
    });
    const kind = 'dialect="s3",operation="GetObject"';
    expect(value(text, `sealgate_requests_total{${kind},status="200",error_source="none"}`)).toBe(3);
    expect(value(text, `sealgate_request_seconds_bucket{le="+Inf",${kind}}`)).toBe(3);
    expect(value(text, 'sealgate_in_flight_bytes')).toBe(20);
    expect(value(text, 'sealgate_in_flight_limit_bytes')).toBe(200);
    expect(value(text, 'sealgate_key_cache_age_seconds')).toBe(6);
    expect(value(text, 'sealgate_workers')).toBe(2);
    expect(value(text, 'sealgate_workers_replaced')).toBe(1);
  });
});

describe('a bounded label', () => {
  it('takes so many names, and then no more', () => {
    const label = new BoundedLabel(2);
    expect(['a', 'b', 'c', 'a', 'b c', '', undefined].map((name) => label.of(name))).toEqual([
      'a',
      'b',
      'other',
      'a',
      'other',
      'other',
      'none',
    ]);
  });
});

describe('docs/metrics.md', () => {
  it('lists every metric of the registry with its type, labels and meaning, and no other', async () => {
    const page = await readFile(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
    const listed = page.split('\n').filter((line) => line.startsWith('| `'));
    const all = await aggregateMetrics([await new Metrics().snapshot()], { listening: 0, replaced: 0 });
    const facts = new Metrics().registry.getMetricsAsArray() as unknown as {
      readonly name: string;
      readonly labelNames: readonly string[];
    }[];
    const labels = new Map(facts.map(({ name, labelNames }) => [name, labelNames]));
    const defined = [...all.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)$/gm)].map(([, name = '', help, type]) => {
      const names = (labels.get(name) ?? []).map((label) => `\`${label}\``).join(', ');
      return `| \`${name}\` | ${type} | ${names} | ${help} |`;
    });
    expect(listed).toEqual(defined);
  });
});
