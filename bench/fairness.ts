import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bodyFile, createBucket, measure, preload, put } from './load.ts';
import { cpuSeconds, forgetPeak, peakRssBytes } from './process-usage.ts';
import { signRequest } from './signed-requests.ts';
import type { SlowClients, SlowClientsNow } from './slow-clients.ts';
import type { Target } from './targets.ts';
import type { Measurement, Method, TargetName } from './work.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const BODY_BYTES = 4 * KIB;
/** Few enough that the machine's cores are not what is measured. */
const CONCURRENCY = 4;
/** Much more than the kernel holds for a reader that does not read. */
const LARGE_OBJECT_BYTES = 32 * MIB;
const LARGE_OBJECT = 'large';
/** Until all slow clients have come, and those that may are in the midst of it. */
const GATHER_SECONDS = 20;

export interface FairnessOptions {
  /** Readers, and as many writers. */
  readonly slow: number;
  readonly seconds: number;
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** What the quiet tenant had of one kind of request, alone and among the other's slow clients; or the store without it. */
export interface FairnessCell {
  readonly through: TargetName;
  readonly method: Method;
  readonly quiet: Measurement;
  readonly crowded: Measurement;
}

export interface Fairness {
  readonly cells: readonly FairnessCell[];
  readonly slow: SlowClientsNow;
  readonly restingRssBytes: number;
  readonly peakRssBytes: number;
  /** Of the gateway, of one core, while the slow clients alone were there. */
  readonly cpuShare: number;
}

/**
 * Measures one tenant's small requests alone, and again while another tenant's slow clients hold all they can get; and
 * the same requests straight to the store, which has the slow uploads too.
 */
export async function measureFairness(
  { direct, greedy, quiet }: { readonly direct: Target; readonly greedy: Target; readonly quiet: Target },
  options: FairnessOptions,
): Promise<Fairness> {
  const { folder, seconds, say } = options;
  const body = randomBytes(BODY_BYTES);
  writeFileSync(bodyFile(folder, BODY_BYTES), body);
  await createBucket(quiet);
  for (const target of [direct, quiet]) await preload(target, BODY_BYTES, body);
  await put(greedy, LARGE_OBJECT, randomBytes(LARGE_OBJECT_BYTES));
  const load = { seconds, rounds: 1, folder };
  const works = (['PUT', 'GET'] as const).flatMap((method) => [direct, quiet].map((target) => ({ target, method })));
  const runAll = async () => {
    const results: Measurement[] = [];
    for (const { target, method } of works) {
      results.push(await measure(target, { method, bodyBytes: BODY_BYTES, concurrency: CONCURRENCY }, load));
    }
    return results;
  };
  await runAll();
  const alone = await runAll();
  forgetPeak(greedy.pid);
  const restingRssBytes = peakRssBytes(greedy.pid);
  const crowd = await startSlowClients(greedy, options);
  await new Promise((resolve) => setTimeout(resolve, GATHER_SECONDS * 1000));
  const before = cpuSeconds(greedy.pid);
  await new Promise((resolve) => setTimeout(resolve, 5000));
  const cpuShare = (cpuSeconds(greedy.pid) - before) / 5;
  const slow = { ...crowd.now() };
  say(`slow clients: ${JSON.stringify(slow)}`);
  const among = await runAll();
  await crowd.ended;
  const cells = works.map(({ target, method }, at) => {
    return { through: target.name, method, quiet: alone[at] as Measurement, crowded: among[at] as Measurement };
  });
  return { cells, slow, restingRssBytes, peakRssBytes: peakRssBytes(greedy.pid), cpuShare };
}

export function fairnessReport({ cells, slow, ...memory }: Fairness, limitBytes: number): string {
  const rows = cells.map(({ through, method, quiet, crowded }) => {
    const ratio = (crowded.p99Milliseconds / quiet.p99Milliseconds).toFixed(2);
    const [alone, among] = [quiet, crowded].map(
      (one) => `${one.p50Milliseconds.toFixed(1)} / ${one.p99Milliseconds.toFixed(1)}`,
    );
    return `| ${method} 4 KiB x${CONCURRENCY} | ${through} | ${alone} | ${among} | ${ratio} | ${crowded.failures} of ${crowded.requests} |`;
  });
  const mib = (bytes: number) => `${Math.round(bytes / MIB)} MiB`;
  return [
    '| work of the quiet tenant | through | alone, p50 / p99 ms | among slow clients | p99 ratio | failed |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    `Slow clients in the midst of a transfer: ${slow.reading} readers, ${slow.writing} writers; ${slow.refused} answers said no, ` +
      `${slow.broken} connections broke. RSS at rest ${mib(memory.restingRssBytes)}, at most ${mib(memory.peakRssBytes)}: ` +
      `${mib(memory.peakRssBytes - memory.restingRssBytes)} more, of ${mib(limitBytes)} that \`limits.memoryBytes\` allows. ` +
      `CPU for the slow clients alone: ${Math.round(memory.cpuShare * 100)} % of a core.`,
  ].join('\n');
}

async function startSlowClients(
  target: Target,
  { slow, seconds }: FairnessOptions,
): Promise<{ now(): SlowClientsNow; readonly ended: Promise<void> }> {
  const { hostname: host, port } = target.endpoint;
  const heads = async (method: Method, keyOf: (at: number) => string, extra: string) =>
    Promise.all(
      Array.from({ length: slow }, async (_, at) => {
        const url = new URL(`/${target.bucket}/${keyOf(at)}`, target.endpoint);
        const { headers } = await signRequest(method, url, target.credentials);
        const fields = Object.entries({ host: url.host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
        return `${method} ${url.pathname} HTTP/1.1\r\n${fields.join('')}${extra}\r\n`;
      }),
    );
  const asked: SlowClients = {
    host,
    port: Number(port),
    reads: await heads('GET', () => LARGE_OBJECT, ''),
    writes: await heads('PUT', (at) => `written-${at}`, `content-length: ${LARGE_OBJECT_BYTES}\r\n`),
    seconds: GATHER_SECONDS + 5 + 4 * seconds + 5,
  };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'slow-clients.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(asked));
  let now: SlowClientsNow = { reading: 0, writing: 0, refused: 0, broken: 0 };
  createInterface(child.stdout).on('line', (line) => {
    now = JSON.parse(line) as SlowClientsNow;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return { now: () => now, ended };
}
