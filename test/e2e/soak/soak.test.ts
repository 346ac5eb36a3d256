import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { backendClient } from '../../support/sight.ts';
import {
  abortOpenUploads,
  allReady,
  judgeMemory,
  judgeObjects,
  judgeSecrecy,
  judgeStaging,
  judgeStates,
} from './aftermath.ts';
import { Lane, SoakRecord } from './lane.ts';
import { Outages, SETTLE_MILLISECONDS } from './outages.ts';
import { get, getHalf, getQingstor, getRange, list } from './reads.ts';
import { BUCKETS, type SoakStand, startSoakStand } from './stand.ts';
import { abort, multipart, multipartOfCopies } from './uploads.ts';
import { hideVersions, judgeVersions, makeVersioned, putVersion, removeVersion } from './versions.ts';
import {
  copy,
  put,
  putFirst,
  putForm,
  putHalf,
  putOver,
  putQingstor,
  putStream,
  remove,
  removeMany,
} from './writes.ts';

/**
 * Mixed load through two gateways, into buckets of both kinds of ETags, while they, Redis and MinIO are killed (-9), ended and paused in turn and together.
 * Whatever was acknowledged reads back with its hash, at once and at the end; whatever was not is there whole or not at
 * all; and nothing is left behind: no parts, no reservations, no plaintext.
 */

const LANES = 6;
/** In CI; a night's worth by SEALGATE_TEST_SOAK_SECONDS. */
const SECONDS = Number(process.env.SEALGATE_TEST_SOAK_SECONDS ?? 25);
const SEED = Number(process.env.SEALGATE_TEST_SOAK_SEED ?? 1);
/** What an outage may look like to a client. No answer at all is a broken connection. */
const OUTAGE_STATUSES: ReadonlySet<number | undefined> = new Set([undefined, 503]);
/** Longer than any outage and all that waits for its end. */
const HUNG_MILLISECONDS = 45_000;

const ACTIONS: Record<string, readonly [weight: number, act: (lane: Lane) => Promise<void>]> = {
  put: [25, put],
  'put of unknown length': [5, putStream],
  form: [4, putForm],
  'put by QingStor': [4, putQingstor],
  'put where nothing is': [6, putFirst],
  'put over what is there': [6, putOver],
  'put given up': [4, putHalf],
  multipart: [10, multipart],
  'part copy': [4, multipartOfCopies],
  abort: [3, abort],
  copy: [6, copy],
  delete: [7, remove],
  'delete of many': [2, removeMany],
  get: [18, get],
  range: [8, getRange],
  'get given up': [3, getHalf],
  'get by QingStor': [3, getQingstor],
  listing: [5, list],
  'version put': [5, putVersion],
  'delete marker': [1, hideVersions],
  'version deleted': [2, removeVersion],
};

let stand: SoakStand;
const record = new SoakRecord();

beforeAll(async () => {
  stand = await startSoakStand();
  const { s3 } = stand.doors[0];
  for (const Bucket of BUCKETS) await s3.send(new CreateBucketCommand({ Bucket }));
  await makeVersioned(s3);
});

afterAll(async () => {
  await stand?.stop();
});

function choose(random: () => number): [string, (lane: Lane) => Promise<void>] {
  const actions = Object.entries(ACTIONS);
  let at = random() * actions.reduce((sum, [, [weight]]) => sum + weight, 0);
  for (const [name, [weight, act]] of actions) {
    at -= weight;
    if (at < 0) return [name, act];
  }
  return ['put', put];
}

async function perform(name: string, act: (lane: Lane) => Promise<void>, lane: Lane): Promise<void> {
  await within(name, act(lane));
  record.acknowledged[name] = (record.acknowledged[name] ?? 0) + 1;
}

/** Each kind once by each lane while nothing happens: then nothing may fail. */
async function calm(lane: Lane): Promise<void> {
  for (const [name, [, act]] of Object.entries(ACTIONS)) await perform(name, act, lane);
}

async function load(lane: Lane, until: number): Promise<void> {
  const { doubtful, wrong } = record;
  while (Date.now() < until) {
    const [name, act] = choose(lane.random);
    try {
      await perform(name, act, lane);
    } catch (thrown) {
      const error = thrown as Failure;
      const status = error.$metadata?.httpStatusCode ?? error.response?.status;
      doubtful[name] = (doubtful[name] ?? 0) + 1;
      if (!OUTAGE_STATUSES.has(status)) wrong.push(`${name}: ${status} ${error.name}: ${error.message}`);
      await delay(20); // a server that is away refuses at once
    }
  }
}

interface Failure extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly response?: { readonly status: number };
}

/** What never ends is a finding too. */
async function within<T>(name: string, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const late = delay(HUNG_MILLISECONDS, undefined, { signal: over.signal }).then(() => {
    record.wrong.push(`${name} did not end within ${HUNG_MILLISECONDS} ms`);
    throw new Error('hung');
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

it(
  `${SECONDS} seconds of load and kills: what was acknowledged is there, nothing by halves, and nothing left behind`,
  async () => {
    const outages = new Outages(stand, SEED);
    const lanes = Array.from(
      { length: LANES },
      (_, number) => new Lane(number, { stand, record, outages, seed: SEED }),
    );
    await Promise.all(lanes.map(calm));
    const until = Date.now() + SECONDS * 1_000;
    await Promise.all([outages.until(until), ...lanes.map((lane) => load(lane, until))]);
    await delay(SETTLE_MILLISECONDS);
    await allReady(stand);
    await Promise.all(lanes.map(calm));
    const { wrong, acknowledged, doubtful } = record;
    for (const bucket of BUCKETS) await judgeObjects(bucket, stand.doors, lanes, record);
    const store = backendClient(stand.minio);
    const versions = await judgeVersions(stand.doors[1].s3, store, record);
    store.destroy();
    let aborted = 0;
    for (const bucket of BUCKETS) aborted += await abortOpenUploads(bucket, stand.doors[0].s3);
    const staged = await judgeStaging(stand, record);
    await judgeStates(stand);
    const peaks = await judgeMemory(stand);
    await judgeSecrecy(stand);
    console.info(
      `seed ${SEED}: outages ${JSON.stringify(outages.done)}; acknowledged ${JSON.stringify(acknowledged)}, in doubt ` +
        `${JSON.stringify(doubtful)}; ${versions} versions, ${record.halfDeleted.length} half deleted, ${aborted} open uploads aborted, ${staged} staged parts ` +
        `swept, ${record.clean.length} uploads ended in peace, peaks ${peaks.join(' and ')} MiB`,
    );
    expect([...wrong, ...outages.badEnds], `seed ${SEED}`).toEqual([]);
    // It was a test at all.
    const happened = Object.values(outages.done).reduce((sum, count) => sum + count, 0);
    expect(happened).toBeGreaterThanOrEqual(Math.floor(SECONDS / 12));
    expect(Object.values(doubtful).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  },
  (SECONDS * 2 + 180) * 1_000,
);
