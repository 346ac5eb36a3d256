import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tool } from '../test/support/tools.ts';
import { asCurlConfig, asLua, type SignedRequest, signRequest } from './signed-requests.ts';
import type { Target } from './targets.ts';
import { keyCount, keyName, LARGE_BYTES, type Measurement, type Method, type Work } from './work.ts';

const run = promisify(execFile);

export interface LoadOptions {
  /** For wrk. */
  readonly seconds: number;
  /** For curl: transfers of each connection. */
  readonly rounds: number;
  /** Folder for what wrk and curl read. */
  readonly folder: string;
}

const LISTINGS = 300;

/** One measurement from outside. wrk for requests by the thousand, curl for large ones. */
export function measure(target: Target, work: Work, options: LoadOptions): Promise<Measurement> {
  return work.bodyBytes >= LARGE_BYTES ? measureWithCurl(target, work, options) : measureWithWrk(target, work, options);
}

export function bodyFile(folder: string, bodyBytes: number): string {
  return join(folder, `body-${bodyBytes}`);
}

/** Requests for all keys of this size, signed now. */
function signAll(target: Target, method: Method, bodyBytes: number): Promise<SignedRequest[]> {
  const indexes = Array.from({ length: keyCount(bodyBytes) }, (_, index) => index);
  return Promise.all(indexes.map((index) => signOne(target, method, keyName(bodyBytes, index))));
}

function signOne(target: Target, method: Method, key: string): Promise<SignedRequest> {
  return signRequest(method, new URL(`/${target.bucket}/${key}`, target.endpoint), target.credentials);
}

async function measureWithWrk(target: Target, work: Work, options: LoadOptions): Promise<Measurement> {
  const list = join(options.folder, `requests-${target.name}.lua`);
  writeFileSync(list, asLua(await signAll(target, work.method, work.bodyBytes)), { mode: 0o600 });
  const body = work.method === 'PUT' ? bodyFile(options.folder, work.bodyBytes) : '-';
  const script = join(import.meta.dirname, 'requests.lua');
  // One thread: it saturates any of the servers here, and a second one would take their core.
  const load = ['-t', '1', '-c', String(work.concurrency), '-d', `${options.seconds}s`, '--timeout', '30s'];
  const { stdout } = await run(tool('wrk'), [...load, '-s', script, target.endpoint.href, '--', list, body]);
  return readWrkResult(stdout);
}

function readWrkResult(stdout: string): Measurement {
  const line = /^result (.*)$/m.exec(stdout)?.[1];
  if (!line) throw new Error(`wrk gave no result:\n${stdout}`);
  const result = JSON.parse(line) as Record<string, number>;
  return {
    requests: result.requests ?? 0,
    seconds: (result.microseconds ?? 0) / 1e6,
    p50Milliseconds: (result.p50Microseconds ?? 0) / 1e3,
    p99Milliseconds: (result.p99Microseconds ?? 0) / 1e3,
    failures: (result.badAnswers ?? 0) + (result.brokenConnections ?? 0),
  };
}

interface Transfer {
  readonly seconds: number;
  readonly succeeded: boolean;
}

async function measureWithCurl(target: Target, work: Work, options: LoadOptions): Promise<Measurement> {
  const started = performance.now();
  const lanes = Array.from({ length: work.concurrency }, async (_, lane) => {
    const transfers: Transfer[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      transfers.push(await curlTransfer(target, work, { lane, folder: options.folder }));
    }
    return transfers;
  });
  const transfers = (await Promise.all(lanes)).flat();
  const seconds = (performance.now() - started) / 1000;
  const sorted = transfers.map((transfer) => transfer.seconds * 1000).sort((a, b) => a - b);
  return {
    requests: transfers.length,
    seconds,
    p50Milliseconds: percentile(sorted, 0.5),
    p99Milliseconds: percentile(sorted, 0.99),
    failures: transfers.filter((transfer) => !transfer.succeeded).length,
  };
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

/** Each lane has an object of its own: two writers on one key would measure the store's lock. */
async function curlTransfer(target: Target, work: Work, at: { lane: number; folder: string }): Promise<Transfer> {
  const request = await signOne(target, work.method, keyName(work.bodyBytes, at.lane));
  const args = ['-s', '-K', '-', '-o', '/dev/null', '-w', '%{http_code} %{time_total} %{size_download}'];
  // Without the wait for "100 Continue", which curl starts by itself for large bodies and wrk does not.
  if (work.method === 'PUT') args.push('-H', 'Expect:', '-T', bodyFile(at.folder, work.bodyBytes));
  const child = spawn(tool('curl'), args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(asCurlConfig(request));
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  const [status, seconds, received] = text.split(' ').map(Number);
  const complete = work.method === 'PUT' || received === work.bodyBytes;
  return { seconds: seconds ?? 0, succeeded: status === 200 && complete };
}

/** Writes every object that a GET of this size asks for, and checks that the target gives the same bytes back. */
export async function preload(target: Target, bodyBytes: number, body: Buffer): Promise<void> {
  const puts = await signAll(target, 'PUT', bodyBytes);
  const inFlight = bodyBytes >= LARGE_BYTES ? 1 : 8;
  for (let first = 0; first < puts.length; first += inFlight) {
    await Promise.all(puts.slice(first, first + inFlight).map((request) => send(request, body)));
  }
  const back = await send(await signOne(target, 'GET', keyName(bodyBytes, 0)), undefined);
  if (!back.equals(body)) throw new Error(`${target.name} gave other bytes back than it got`);
}

/** Writes one object. */
export async function put(target: Target, key: string, body: Buffer): Promise<void> {
  await send(await signOne(target, 'PUT', key), body);
}

/** Lists the bucket so often that the gateway has compiled its client for the store's small documents. */
export async function listOften(target: Target): Promise<void> {
  const url = new URL(`/${target.bucket}?list-type=2`, target.endpoint);
  for (let turn = 0; turn < LISTINGS; turn += 1)
    await send(await signRequest('GET', url, target.credentials), undefined);
}

async function send({ method, url, headers }: SignedRequest, body: Buffer | undefined): Promise<Buffer> {
  const response = await fetch(url, {
    method,
    headers,
    body: body && new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.length),
  });
  const answer = Buffer.from(await response.arrayBuffer());
  if (!response.ok) throw new Error(`${method} ${url.href}: ${response.status} ${answer.toString().slice(0, 500)}`);
  return answer;
}

export async function createBucket(target: Target): Promise<void> {
  const url = new URL(`/${target.bucket}`, target.endpoint);
  await send(await signRequest('PUT', url, target.credentials), undefined);
}
