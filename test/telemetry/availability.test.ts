import { expect, it } from 'vitest';
import { tellAvailability } from '../../src/telemetry/availability.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';

it('is told by one line when a dependency goes away, and one when it is back', () => {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  const metrics = new Metrics();
  tellAvailability(metrics, createLog({ level: 'info', format: 'json', destination }));
  metrics.answered('GET', 200, 0.1);
  // A connection that was closed while it was idle, now and then, is nothing.
  for (let round = 0; round < 5; round++) {
    metrics.failed('GET', 'reset');
    metrics.answered('GET', 503, 0.1);
    metrics.operation('get', 0.1, 'error');
    metrics.operation('get', 0.1, 'ok');
  }
  expect(lines).toEqual([]);
  for (let round = 0; round < 20; round++) metrics.failed('PUT', 'connect');
  for (let round = 0; round < 20; round++) metrics.operation('check', 0.1, 'error');
  for (let round = 0; round < 20; round++) metrics.beat(false);
  for (let round = 0; round < 20; round++) metrics.answered('GET', 200, 0.1);
  for (let round = 0; round < 20; round++) metrics.operation('check', 0.1, 'ok');
  expect(lines.map(({ level, msg, dependency, reason }) => [level, msg, dependency, reason])).toEqual([
    ['warn', 'the backend is away', 'backend', 'connect'],
    ['warn', 'the key store is away', 'key store', 'no answer'],
    ['info', 'the backend is back', 'backend', undefined],
    ['info', 'the key store is back', 'key store', undefined],
  ]);
});

it('is told of a key store that nobody asks, because all is cached: by the beats of its watch', () => {
  const lines: Record<string, unknown>[] = [];
  const metrics = new Metrics();
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  tellAvailability(metrics, createLog({ level: 'info', format: 'json', destination }));
  for (const answered of [true, false, false, true, false, false, false, false, true, true]) metrics.beat(answered);
  expect(lines.map(({ msg }) => msg)).toEqual(['the key store is away', 'the key store is back']);
});
