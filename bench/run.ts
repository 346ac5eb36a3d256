/**
 * npm run bench: the same work direct to MinIO, through nginx as a plain proxy, and through one Sealgate worker, on this
 * machine, in one run. See RESULTS.md for how to read it.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureTools } from '../test/support/install/ensure.ts';
import { clientReport } from './client-report.ts';
import { CLIENT_GROUPS, measureClients } from './clients.ts';
import { fairnessReport, measureFairness } from './fairness.ts';
import { bodyFile, createBucket, type LoadOptions, measure, preload } from './load.ts';
import { measurePairs, pairsReport } from './pairs.ts';
import { cpuSeconds, forgetPeak, peakRssBytes } from './process-usage.ts';
import { markdownReport } from './report.ts';
import {
  addTenant,
  type GatewayOptions,
  SEALED_BUCKET,
  type Started,
  startMinio,
  startNginx,
  startSealgate,
  type Target,
} from './targets.ts';
import { type Cell, LARGE_BYTES, sizeText, WORKS, type Work, workName } from './work.ts';

const USAGE = `npm run bench -- [options]
  --quick             2 seconds and one round a cell, instead of 8 seconds and three rounds
  --only TEXT         only work whose name contains TEXT ("4 KiB", "GET 1 MiB x8"); may be repeated
  --clients           whole programs and crowds instead: aws-cli, random ranges, 64 at once, rclone;
                      --only then names groups (${CLIENT_GROUPS.join(', ')})
  --fairness          instead, one tenant's small requests alone and among another's 1,000 slow readers and writers
  --pairs             instead, several builds of the gateway in turn, in one run: that of --entry and those of --against
  --against FILE      with --pairs: the program of another build; may be repeated
  --turns N           with --pairs: how often the builds take turns in each cell (5)
  --slow N            with --fairness: readers, and as many writers, at most 2,000 (1,000)
  --scale N           with --clients: sizes, counts and times as parts of what the goals say (1)
  --through NAMES     direct,nginx,sealgate: all of them by default, nginx not with --clients; direct is always measured
  --seconds N         seconds a cell (wrk);  --rounds N  transfers a connection (curl, 256 MiB)
  --keys redis|file   where the gateway keeps its keys (redis)
  --entry FILE        the gateway's program (dist/launch.js, as it is deployed);  --node-flag FLAG  a flag for its node; may be repeated
  --log-level LEVEL   of the gateway (warn: nginx writes no access log here either)
  --folder DIR        where MinIO stores (a new folder in the system's folder for temporary files)
  --json FILE         all numbers (bench/last-run.json)`;

const { values } = parseArgs({
  options: {
    clients: { type: 'boolean', default: false },
    fairness: { type: 'boolean', default: false },
    pairs: { type: 'boolean', default: false },
    against: { type: 'string', multiple: true, default: [] },
    turns: { type: 'string', default: '5' },
    slow: { type: 'string', default: '1000' },
    scale: { type: 'string', default: '1' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
    through: { type: 'string' },
    seconds: { type: 'string' },
    rounds: { type: 'string' },
    keys: { type: 'string', default: 'redis' },
    entry: { type: 'string', default: join(import.meta.dirname, '../dist/launch.js') },
    'node-flag': { type: 'string', multiple: true, default: [] },
    'log-level': { type: 'string', default: 'warn' },
    folder: { type: 'string', default: tmpdir() },
    json: { type: 'string', default: join(import.meta.dirname, 'last-run.json') },
    help: { type: 'boolean', default: false },
  },
});

const WARM_UP_SECONDS = 2;

const say = (line: string) => console.error(line);

async function startTargets(folder: string, through: readonly string[], started: Started): Promise<Target[]> {
  const direct = await startMinio(folder, started);
  await createBucket(direct);
  await createBucket({ ...direct, bucket: SEALED_BUCKET });
  const targets = [direct];
  if (through.includes('nginx')) targets.push(await startNginx(folder, direct, started));
  if (through.includes('sealgate')) targets.push(await startSealgate(folder, direct, gatewayOptions(), started));
  return targets;
}

function gatewayOptions(entry = values.entry): GatewayOptions {
  return {
    entry: resolve(entry),
    nodeFlags: values['node-flag'],
    keyStore: values.keys === 'file' ? 'file' : 'redis',
    logLevel: values['log-level'],
  };
}

async function measureCell(target: Target, work: Work, load: LoadOptions): Promise<Cell> {
  forgetPeak(target.pid);
  const before = cpuSeconds(target.pid);
  const measurement = await measure(target, work, load);
  const cell = {
    ...measurement,
    target: target.name,
    work,
    cpuSeconds: cpuSeconds(target.pid) - before,
    peakRssBytes: peakRssBytes(target.pid),
  };
  const rate = (cell.requests / cell.seconds).toFixed(1);
  say(`${workName(work)} through ${target.name}: ${rate} req/s${cell.failures > 0 ? `, ${cell.failures} FAILED` : ''}`);
  return cell;
}

/** Unmeasured: a gateway that compiles while it runs is measured as it is after its first seconds. */
async function warmUp(targets: readonly Target[], bodyBytes: number, load: LoadOptions): Promise<void> {
  for (const target of targets) {
    for (const method of ['PUT', 'GET'] as const) {
      await measure(target, { method, bodyBytes, concurrency: 8 }, { ...load, seconds: WARM_UP_SECONDS });
    }
  }
}

/** Direct, nginx and gateway one after the other within a cell, so that a machine that slows down slows all of them. */
async function measureAll(targets: readonly Target[], works: readonly Work[], load: LoadOptions): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const bodyBytes of new Set(works.map((work) => work.bodyBytes))) {
    const body = randomBytes(bodyBytes);
    writeFileSync(bodyFile(load.folder, bodyBytes), body);
    say(`${sizeText(bodyBytes)}: writing the objects that are read`);
    for (const target of targets) await preload(target, bodyBytes, body);
    if (bodyBytes < LARGE_BYTES) await warmUp(targets, bodyBytes, load);
    for (const work of works.filter((candidate) => candidate.bodyBytes === bodyBytes)) {
      for (const target of targets) cells.push(await measureCell(target, work, load));
    }
  }
  return cells;
}

/** Servers in a folder of their own for as long as `work` takes. */
async function withTargets(
  through: readonly string[],
  work: (targets: Target[], folder: string) => Promise<void>,
): Promise<void> {
  mkdirSync(values.folder, { recursive: true });
  const folder = mkdtempSync(join(values.folder, 'sealgate-bench-'));
  const started: Started = [];
  // Ctrl-C also ends the load, whose failure ends the run through the cleanup below.
  process.once('SIGINT', () => say('interrupted: stopping the servers'));
  try {
    await work(await startTargets(folder, through, started), folder);
  } finally {
    for (const server of started.reverse()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function tell(how: string, report: string, cells: readonly unknown[]): void {
  const machine = `${cpus().length} cores (${cpus()[0]?.model}), Node ${process.version}, ${how}`;
  console.log(`${new Date().toISOString().slice(0, 10)}, ${machine}\n\n${report}`);
  writeFileSync(values.json, `${JSON.stringify({ at: new Date().toISOString(), machine, cells }, undefined, 2)}\n`);
}

function wantedWorks(): Work[] {
  const works = WORKS.filter(
    (work) => values.only.length === 0 || values.only.some((text) => workName(work).includes(text)),
  );
  if (works.length === 0) throw new Error(`no work has such a name; there are: ${WORKS.map(workName).join(', ')}`);
  return works;
}

async function runRequests(): Promise<void> {
  Object.assign(process.env, await ensureTools(['minio', 'redis', 'nginx', 'wrk', 'curl'], { say }));
  const works = wantedWorks();
  const seconds = Number(values.seconds ?? (values.quick ? 2 : 8));
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  await withTargets((values.through ?? 'direct,nginx,sealgate').split(','), async (targets, folder) => {
    const cells = await measureAll(targets, works, { seconds, rounds, folder });
    tell(`${seconds} s a cell`, markdownReport(cells), cells);
    if (cells.some((cell) => cell.failures > 0)) process.exitCode = 1;
  });
}

async function runPairs(): Promise<void> {
  if (values.against.length === 0) throw new Error('--pairs compares builds: give the program of another by --against');
  Object.assign(process.env, await ensureTools(['minio', 'redis', 'wrk', 'curl'], { say }));
  const builds = [values.entry, ...values.against];
  const load = {
    seconds: Number(values.seconds ?? 3),
    rounds: Number(values.rounds ?? 1),
    turns: Number(values.turns),
  };
  await withTargets(['direct'], async ([direct], folder) => {
    const started: Started = [];
    try {
      const targets: Target[] = [];
      for (const [index, entry] of builds.entries()) {
        const home = join(folder, `build-${index}`);
        mkdirSync(home);
        const target = await startSealgate(home, direct as Target, gatewayOptions(entry), started, `build${index}`);
        await createBucket({ ...(direct as Target), bucket: target.bucket });
        targets.push(target);
      }
      const results = await measurePairs(targets, wantedWorks(), { ...load, folder, say });
      tell(`builds in turn, ${load.turns} turns of ${load.seconds} s`, pairsReport(builds, results), results);
      if (results.some((result) => result.builds.some((build) => build.failures > 0))) process.exitCode = 1;
    } finally {
      for (const server of started.reverse()) await server.stop();
    }
  });
}

async function runClients(): Promise<void> {
  const scale = Number(values.scale);
  if (!(scale > 0 && scale <= 1)) throw new Error(`--scale is ${values.scale}: give a number above 0, at most 1`);
  const through = (values.through ?? 'direct,sealgate').split(',');
  const proxy = through.includes('nginx') ? (['nginx'] as const) : [];
  const tools = ['minio', 'redis', 'curl', 'python', 'aws', 'rclone', ...proxy] as const;
  Object.assign(process.env, await ensureTools(tools, { say }));
  await withTargets(through, async (targets, folder) => {
    const cells = await measureClients(targets, { folder, scale, only: values.only, say });
    if (cells.length === 0) throw new Error(`no group has such a name; there are: ${CLIENT_GROUPS.join(', ')}`);
    tell(`scale ${scale}`, clientReport(cells), cells);
  });
}

/** As limits.memoryBytes is by default. */
const MEMORY_BYTES = 256 * 1024 * 1024;

async function runFairness(): Promise<void> {
  const slow = Number(values.slow);
  if (!(Number.isInteger(slow) && slow > 0 && slow <= 2000)) throw new Error(`--slow is ${values.slow}: 1 to 2000`);
  const seconds = Number(values.seconds ?? (values.quick ? 5 : 20));
  Object.assign(process.env, await ensureTools(['minio', 'redis', 'wrk'], { say }));
  await withTargets(['sealgate'], async (targets, folder) => {
    const [direct, greedy] = targets as [Target, Target];
    const credentials = addTenant(folder, direct, gatewayOptions(), 'quiet');
    const quiet = { ...greedy, bucket: 'quiet-sealed', credentials };
    const result = await measureFairness({ direct, greedy, quiet }, { slow, seconds, folder, say });
    tell(`${slow} slow readers and ${slow} slow writers`, fairnessReport(result, MEMORY_BYTES), [result]);
    if (result.cells.some(({ quiet, crowded }) => quiet.failures + crowded.failures > 0)) process.exitCode = 1;
  });
}

if (values.help) console.log(USAGE);
else if (values.clients) await runClients();
else if (values.fairness) await runFairness();
else if (values.pairs) await runPairs();
else await runRequests();
