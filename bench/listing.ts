/**
 * What a listing of 1,000 keys costs: `node bench/listing.ts`, direct to MinIO and through one Sealgate worker.
 * --entry FILE, --node-flag FLAG, --times N (listings a measurement, 300), --only TEXT (part of a row's name).
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureTools } from '../test/support/install/ensure.ts';
import { createBucket } from './load.ts';
import { cpuSeconds, forgetPeak, peakRssBytes } from './process-usage.ts';
import { type SignedRequest, signRequest } from './signed-requests.ts';
import { SEALED_BUCKET, type Started, startMinio, startSealgate, type Target } from './targets.ts';

const { values } = parseArgs({
  options: {
    entry: { type: 'string', default: join(import.meta.dirname, '../dist/launch.js') },
    'node-flag': { type: 'string', multiple: true, default: [] },
    times: { type: 'string', default: '300' },
    only: { type: 'string', default: '' },
  },
});

const KEYS = 1_000;
const BODY_BYTES = 1_024;
const WARM_UP_TIMES = 100;

/** As backups and data lakes name their files; every hundredth has what XML and URLs must spell otherwise. */
function keyName(index: number): string {
  const day = String(1 + (index % 28)).padStart(2, '0');
  const odd = index % 100 === 0 ? ' & <größe>' : '';
  return `warehouse/events/year=2026/month=11/day=${day}/part-${String(index).padStart(5, '0')}-c000${odd}.parquet`;
}

const FORMS: readonly (readonly [name: string, query: string])[] = [
  ['v2', 'list-type=2'],
  ['v2, url-encoded', 'encoding-type=url&list-type=2'],
  ['v1', ''],
  ['versions', 'encoding-type=url&versions='],
];

const agent = new Agent({ keepAlive: true });

function send({ method, url, headers }: SignedRequest, body?: Buffer): Promise<Buffer> {
  return new Promise((done, fail) => {
    const asked = request(url, { method, headers, agent }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', fail);
      answer.on('end', () => {
        const whole = Buffer.concat(chunks);
        if (answer.statusCode === 200) done(whole);
        else fail(new Error(`${method} ${url.href}: ${answer.statusCode} ${whole.toString().slice(0, 300)}`));
      });
    });
    asked.on('error', fail);
    asked.setHeader('content-length', body?.length ?? 0);
    asked.end(body);
  });
}

async function preload(target: Target): Promise<void> {
  const body = randomBytes(BODY_BYTES);
  for (let first = 0; first < KEYS; first += 10) {
    await Promise.all(
      Array.from({ length: 10 }, async (_, at) => {
        const path = keyName(first + at)
          .split('/')
          .map(encodeURIComponent)
          .join('/');
        await send(
          await signRequest('PUT', new URL(`/${target.bucket}/${path}`, target.endpoint), target.credentials),
          body,
        );
      }),
    );
  }
}

async function list(target: Target, query: string, times: number): Promise<number[]> {
  const url = new URL(`/${target.bucket}/?${query}`, target.endpoint);
  const milliseconds: number[] = [];
  for (let at = 0; at < times; at++) {
    const signed = await signRequest('GET', url, target.credentials);
    const started = performance.now();
    const answer = await send(signed);
    milliseconds.push(performance.now() - started);
    if (at === 0) check(answer.toString());
  }
  return milliseconds.sort((a, b) => a - b);
}

function check(document: string): void {
  const sizes = document.match(/<Size>\d+<\/Size>/g) ?? [];
  if (sizes.length !== KEYS || sizes.some((size) => size !== `<Size>${BODY_BYTES}</Size>`)) {
    throw new Error(`the listing is not of ${KEYS} keys of ${BODY_BYTES} bytes:\n${document.slice(0, 500)}`);
  }
}

async function main(): Promise<void> {
  Object.assign(process.env, await ensureTools(['minio', 'redis'], { say: (line) => console.error(line) }));
  const folder = mkdtempSync(join(tmpdir(), 'sealgate-listing-'));
  const started: Started = [];
  try {
    const direct = await startMinio(folder, started);
    await createBucket(direct);
    await createBucket({ ...direct, bucket: SEALED_BUCKET });
    const options = {
      entry: resolve(values.entry),
      nodeFlags: values['node-flag'],
      keyStore: 'redis',
      logLevel: 'warn',
    } as const;
    const sealgate = await startSealgate(folder, direct, options, started);
    for (const target of [direct, sealgate]) await preload(target);
    const times = Number(values.times);
    console.log(`${cpus().length} cores (${cpus()[0]?.model}), Node ${process.version}, ${times} listings a row\n`);
    console.log(
      '| 1,000 keys | through | p50 ms | p99 ms | CPU ms a listing | peak RSS MB |\n| --- | --- | --- | --- | --- | --- |',
    );
    for (const [name, query] of FORMS.filter(([form]) => form.includes(values.only))) {
      for (const target of [direct, sealgate]) {
        await list(target, query, WARM_UP_TIMES);
        forgetPeak(target.pid);
        const before = cpuSeconds(target.pid);
        const took = await list(target, query, times);
        const cpu = ((cpuSeconds(target.pid) - before) * 1000) / times;
        const quantile = (share: number) => (took[Math.floor((took.length - 1) * share)] ?? 0).toFixed(1);
        const rss = (peakRssBytes(target.pid) / 1e6).toFixed(0);
        console.log(`| ${name} | ${target.name} | ${quantile(0.5)} | ${quantile(0.99)} | ${cpu.toFixed(2)} | ${rss} |`);
      }
    }
  } finally {
    agent.destroy();
    for (const server of started.reverse()) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
