import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { bodyFile, type LoadOptions, listOften, measure, preload } from './load.ts';
import { cpuSeconds, forgetPeak, peakRssBytes } from './process-usage.ts';
import { figure, table } from './report.ts';
import type { Target } from './targets.ts';
import { LARGE_BYTES, type Work, workName } from './work.ts';

/** What one build of the gateway needed for one kind of work. */
export interface BuildFigures {
  /** CPU milliseconds, user and system, a request: one figure a turn, in the order of the turns. */
  readonly cpuMilliseconds: readonly number[];
  /** Requests a second: one figure a turn. */
  readonly rates: readonly number[];
  /** The largest resident set of all turns, in bytes. */
  readonly peakRssBytes: number;
  /** Requests of all turns that failed. */
  readonly failures: number;
}

export interface PairResult {
  readonly work: Work;
  /** In the order of the builds that were given. */
  readonly builds: readonly BuildFigures[];
}

interface PairOptions extends LoadOptions {
  readonly turns: number;
  readonly say: (line: string) => void;
}

const WARM_UP_SECONDS = 8;

/**
 * Measures builds of the gateway that run side by side, of which only one is under load at a time. They take short turns,
 * and every second turn goes backwards, so that a machine that slows down or speeds up does so for all of them.
 */
export async function measurePairs(
  targets: readonly Target[],
  works: readonly Work[],
  options: PairOptions,
): Promise<PairResult[]> {
  const results: PairResult[] = [];
  // Node compiles undici's parser once in each process, which takes 9 MB that stay. One build does it at its start, another
  // at its first listings: after these all have.
  for (const target of targets) await listOften(target);
  for (const bodyBytes of new Set(works.map((work) => work.bodyBytes))) {
    const body = randomBytes(bodyBytes);
    writeFileSync(bodyFile(options.folder, bodyBytes), body);
    for (const target of targets) await preload(target, bodyBytes, body);
    for (const work of works.filter((candidate) => candidate.bodyBytes === bodyBytes)) {
      if (bodyBytes < LARGE_BYTES) {
        for (const target of targets) await measure(target, work, { ...options, seconds: WARM_UP_SECONDS });
      }
      results.push({ work, builds: await inTurn(targets, work, options) });
    }
  }
  return results;
}

async function inTurn(targets: readonly Target[], work: Work, options: PairOptions): Promise<BuildFigures[]> {
  const turns = targets.map(() => ({ cpu: [] as number[], rates: [] as number[], rss: 0, failures: 0 }));
  for (let turn = 0; turn < options.turns; turn += 1) {
    const order = targets.map((_, index) => index);
    if (turn % 2 === 1) order.reverse();
    for (const index of order) {
      const target = targets[index] as Target;
      const figures = turns[index] as (typeof turns)[number];
      forgetPeak(target.pid);
      const before = cpuSeconds(target.pid);
      const { requests, seconds, failures } = await measure(target, work, options);
      figures.cpu.push(((cpuSeconds(target.pid) - before) / requests) * 1000);
      figures.rates.push(requests / seconds);
      figures.rss = Math.max(figures.rss, peakRssBytes(target.pid));
      figures.failures += failures;
    }
    const cpu = turns.map((figures) => (figures.cpu.at(-1) as number).toFixed(4));
    options.say(`${workName(work)}, turn ${turn + 1}: ${cpu.join(' ')} CPU ms a request`);
  }
  return turns.map(({ cpu, rates, rss, failures }) => ({ cpuMilliseconds: cpu, rates, peakRssBytes: rss, failures }));
}

/** Markdown: each work, each build's medians, and the ratio to the build that was named last. */
export function pairsReport(builds: readonly string[], results: readonly PairResult[]): string {
  const title = ['work', 'build', 'req/s', 'CPU ms', 'of the last', 'peak RSS MB', 'of the last'];
  const rows = results.flatMap((result) => {
    const last = result.builds.at(-1) as BuildFigures;
    return result.builds.map((build, index) => [
      build.failures > 0 ? `${workName(result.work)} (${build.failures} FAILED)` : workName(result.work),
      builds[index] as string,
      figure(median(build.rates)),
      median(build.cpuMilliseconds).toFixed(4),
      (median(build.cpuMilliseconds) / median(last.cpuMilliseconds)).toFixed(3),
      figure(build.peakRssBytes / 1e6),
      (build.peakRssBytes / last.peakRssBytes).toFixed(3),
    ]);
  });
  return table(title, rows);
}

function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
