/**
 * What `protection: inject` costs over `none`: `node bench/inject.ts`, one gateway over one MinIO with TLS and a KMS. The
 * buckets take short turns, and every second turn goes backwards, so that a machine that slows down does so for all.
 * --turns N (12), --requests N (a turn and work, 300), --concurrency N (4).
 */
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { makeCertificate } from '../test/support/certificate.ts';
import { ensureTools } from '../test/support/install/ensure.ts';
import { startGateway, TENANT } from '../test/support/servers/gateway.ts';
import { startMinio } from '../test/support/servers/minio.ts';
import { backendSettings } from '../test/support/servers/store.ts';
import { cpuSeconds } from './process-usage.ts';
import { table } from './report.ts';
import { type SignedRequest, signRequest } from './signed-requests.ts';

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '12' },
    requests: { type: 'string', default: '300' },
    concurrency: { type: 'string', default: '4' },
  },
});
const [TURNS, REQUESTS, CONCURRENCY] = [Number(values.turns), Number(values.requests), Number(values.concurrency)];

const FORMS = ['none', 'managed', 'kms', 'customer'] as const;
const WORKS = [4 * 1024, 1024 * 1024].flatMap((bytes) => [
  { method: 'PUT', bytes } as const,
  { method: 'GET', bytes } as const,
]);
const KEYS = 20;
const agent = new Agent({ keepAlive: true });

function send({ method, url, headers }: SignedRequest, body: Buffer | undefined): Promise<void> {
  return new Promise((done, fail) => {
    const asked = request(url, { method, headers, agent }, (answer) => {
      answer.on('error', fail).on('end', () => {
        if (answer.statusCode === 200) done();
        else fail(new Error(`${method} ${url.href}: ${answer.statusCode}`));
      });
      answer.resume();
    });
    asked.on('error', fail);
    asked.setHeader('content-length', body?.length ?? 0);
    asked.end(body);
  });
}

/** Sends so many requests, some at a time. Returns the milliseconds that each took. */
async function load(signed: readonly SignedRequest[], body: Buffer | undefined, count: number): Promise<number[]> {
  const took: number[] = [];
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < count) {
      const asked = signed[sent++ % signed.length] as SignedRequest;
      const begunAt = performance.now();
      await send(asked, body);
      took.push(performance.now() - begunAt);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return took;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

Object.assign(process.env, await ensureTools(['minio'], { say: (line) => console.error(line) }));
const certificate = await makeCertificate();
const secret = createHash('sha256').update('the KMS of the bench').digest('base64');
const minio = await startMinio({ certificate, env: { MINIO_KMS_SECRET_KEY: `bench:${secret}` } });
const gateway = await startGateway({
  backend: backendSettings(minio),
  more: { log: { level: 'warn' } },
  buckets: FORMS.map((form) =>
    form === 'none' ? 'acme-none:protection=none' : `acme-${form}:protection=inject:inject=${form}`,
  ),
});
try {
  const credentials = { ...TENANT, region: 'us-east-1' };
  const url = (path: string) => new URL(path, gateway.endpoint);
  for (const form of FORMS) await send(await signRequest('PUT', url(`/acme-${form}`), credentials), undefined);
  const rows: string[][] = [];
  for (const { method, bytes } of WORKS) {
    const body = randomBytes(bytes);
    const figures = new Map(FORMS.map((form) => [form, { cpu: [] as number[], took: [] as number[] }]));
    for (let turn = -1; turn < TURNS; turn++) {
      for (const form of turn % 2 === 0 ? FORMS : FORMS.toReversed()) {
        const keys = Array.from({ length: KEYS }, (_, at) => url(`/acme-${form}/${bytes}-${at}`));
        const signed = await Promise.all(keys.map((key) => signRequest(method, key, credentials)));
        const before = cpuSeconds(gateway.pid());
        const took = await load(signed, method === 'PUT' ? body : undefined, REQUESTS);
        if (turn < 0) continue; // warms up, and writes what is read
        figures.get(form)?.cpu.push(((cpuSeconds(gateway.pid()) - before) / REQUESTS) * 1000);
        figures.get(form)?.took.push(median(took));
      }
    }
    const none = figures.get('none');
    for (const [form, { cpu, took }] of figures) {
      const ratios = [
        cpu.map((each, at) => each / (none?.cpu[at] ?? 0)),
        took.map((each, at) => each / (none?.took[at] ?? 0)),
      ];
      const [ofCpu, ofTime] = ratios.map((each) => median(each).toFixed(2));
      const name = `${method} ${bytes / 1024} KiB`;
      rows.push([name, form, median(cpu).toFixed(3), ofCpu ?? '', median(took).toFixed(2), ofTime ?? '']);
      console.error(rows.at(-1)?.join('  '));
    }
  }
  console.log(table(['work', 'inject', 'CPU ms', 'over none', 'p50 ms', 'over none'], rows));
} finally {
  agent.destroy();
  await gateway.stop();
  await minio.stop();
  await certificate.remove();
}
