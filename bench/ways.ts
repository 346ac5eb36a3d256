import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import type { GatewayProcess } from '../test/support/servers/gateway.ts';
import { TENANT } from '../test/support/servers/gateway.ts';
import { cpuSeconds } from './process-usage.ts';
import { table } from './report.ts';
import { type SignedRequest, signRequest } from './signed-requests.ts';

/** One of several ways to store and read the same bytes, whose costs are compared. */
export interface Way {
  readonly name: string;
  readonly bucket: string;
  /** What its requests have beside the signature. */
  readonly headers?: (method: 'GET' | 'PUT') => Readonly<Record<string, string>>;
}

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '12' },
    requests: { type: 'string', default: '300' },
    concurrency: { type: 'string', default: '4' },
  },
});
const [TURNS, REQUESTS, CONCURRENCY] = [Number(values.turns), Number(values.requests), Number(values.concurrency)];

const WORKS = [4 * 1024, 1024 * 1024].flatMap((bytes) => [
  { method: 'PUT', bytes } as const,
  { method: 'GET', bytes } as const,
]);
const KEYS = 20;
const CREDENTIALS = { ...TENANT, region: 'us-east-1' };

/**
 * Measures what PUT and GET of 4 KiB and 1 MiB cost one gateway in each way, and prints a table. The ways take short turns,
 * and every second turn goes backwards, so that a machine that slows down does so for all. Options of the command line:
 * --turns N (12), --requests N (a turn and work, 300), --concurrency N (4).
 * @param title what the ways are called in the table; the first way is what the others are compared with
 */
export async function compareWays(gateway: GatewayProcess, title: string, ways: readonly Way[]): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  const sign = (way: Way, method: 'GET' | 'PUT', path: string) =>
    signRequest(method, new URL(path, gateway.endpoint), CREDENTIALS, way.headers?.(method));
  try {
    for (const bucket of new Set(ways.map((way) => way.bucket))) {
      await send(agent, await signRequest('PUT', new URL(`/${bucket}`, gateway.endpoint), CREDENTIALS), undefined);
    }
    const rows: string[][] = [];
    for (const { method, bytes } of WORKS) {
      const body = randomBytes(bytes);
      const figures = ways.map((way) => ({ way, cpu: [] as number[], took: [] as number[] }));
      for (let turn = -1; turn < TURNS; turn += 1) {
        for (const { way, cpu, took } of turn % 2 === 0 ? figures : figures.toReversed()) {
          const keys = Array.from({ length: KEYS }, (_, at) => `/${way.bucket}/${way.name}-${bytes}-${at}`);
          const signed = await Promise.all(keys.map((key) => sign(way, method, key)));
          const before = cpuSeconds(gateway.pid());
          const times = await load(agent, signed, method === 'PUT' ? body : undefined);
          if (turn < 0) continue; // warms up, and writes what is read
          cpu.push(((cpuSeconds(gateway.pid()) - before) / REQUESTS) * 1000);
          took.push(median(times));
        }
      }
      const [first] = figures;
      for (const { way, cpu, took } of figures) {
        const ratios = [
          cpu.map((each, at) => each / (first?.cpu[at] ?? 0)),
          took.map((each, at) => each / (first?.took[at] ?? 0)),
        ];
        const [ofCpu, ofTime] = ratios.map((each) => median(each).toFixed(2));
        const work = `${method} ${bytes / 1024} KiB`;
        rows.push([work, way.name, median(cpu).toFixed(3), ofCpu ?? '', median(took).toFixed(2), ofTime ?? '']);
        console.error(rows.at(-1)?.join('  '));
      }
    }
    const over = `over ${ways[0]?.name}`;
    console.log(table(['work', title, 'CPU ms', over, 'p50 ms', over], rows));
  } finally {
    agent.destroy();
  }
}

function send(agent: Agent, { method, url, headers }: SignedRequest, body: Buffer | undefined): Promise<void> {
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

/** Sends the requests of a turn, some at a time. Returns the milliseconds that each took. */
async function load(agent: Agent, signed: readonly SignedRequest[], body: Buffer | undefined): Promise<number[]> {
  const took: number[] = [];
  let sent = 0;
  const worker = async (): Promise<void> => {
    while (sent < REQUESTS) {
      const asked = signed[sent++ % signed.length] as SignedRequest;
      const begunAt = performance.now();
      await send(agent, asked, body);
      took.push(performance.now() - begunAt);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return took;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
