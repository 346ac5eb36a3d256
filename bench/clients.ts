import { randomBytes } from 'node:crypto';
import { createReadStream, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { AWS_SETTINGS, type AwsSetting, awsCopy, rcloneSync } from './client-programs.ts';
import { transferAtOnce } from './crowd.ts';
import { cpuSeconds, forgetPeak, peakRssBytes } from './process-usage.ts';
import { type LongObject, PART_BYTES, readRandomRanges, writeLongObject } from './random-ranges.ts';
import type { Target } from './targets.ts';
import { sizeText } from './work.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

/** What whole programs and crowds of clients do, direct and through the gateway in turn. */
export interface ClientCell {
  readonly work: string;
  readonly target: string;
  readonly seconds: number;
  /** Plaintext that passed. */
  readonly bytes: number;
  /** Of one request, where requests are alike. */
  readonly p50Milliseconds?: number;
  /** Of the gateway; for direct, of MinIO. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
}

export interface ClientLoad {
  readonly folder: string;
  /** 1: as large as the goals say. Files, objects and times shrink with it, what happens at once does not. */
  readonly scale: number;
  /** Only groups whose name contains one of these; empty: all. */
  readonly only: readonly string[];
  readonly say: (line: string) => void;
}

type Group = (targets: readonly Target[], load: ClientLoad) => Promise<ClientCell[]>;

/** By name, in this order: the long object of "ranges" is what a crowd downloads. */
const GROUPS: Readonly<Record<string, Group>> = { 'aws-cli': awsCli, ranges, crowd, rclone };

export const CLIENT_GROUPS = Object.keys(GROUPS);

export async function measureClients(targets: readonly Target[], load: ClientLoad): Promise<ClientCell[]> {
  const wanted = (name: string) => load.only.length === 0 || load.only.some((text) => name.includes(text));
  const cells: ClientCell[] = [];
  for (const [name, group] of Object.entries(GROUPS)) {
    if (wanted(name)) cells.push(...(await group(targets, load)));
  }
  return cells;
}

/** One cell: `work` is timed, and told what it cost the target. */
async function measured(
  load: ClientLoad,
  target: Target,
  name: string,
  work: () => Promise<{ readonly bytes: number; readonly seconds?: readonly number[] }>,
): Promise<ClientCell> {
  forgetPeak(target.pid);
  const before = cpuSeconds(target.pid);
  const started = performance.now();
  const { bytes, seconds: each } = await work();
  const seconds = (performance.now() - started) / 1000;
  load.say(`${name} through ${target.name}: ${seconds.toFixed(1)} s`);
  return {
    work: name,
    target: target.name,
    seconds,
    bytes,
    ...(each && { p50Milliseconds: 1000 * ([...each].sort((a, b) => a - b)[Math.floor(each.length / 2)] ?? 0) }),
    cpuSeconds: cpuSeconds(target.pid) - before,
    peakRssBytes: peakRssBytes(target.pid),
  };
}

/** Random bytes in whole MiB, never held at once. */
async function writeRandomFile(file: string, bytes: number): Promise<void> {
  const handle = await open(file, 'w');
  for (let at = 0; at < bytes; at += MIB) await handle.write(randomBytes(MIB));
  await handle.close();
}

async function sameBytes(a: string, b: string): Promise<boolean> {
  const other = createReadStream(b, { highWaterMark: MIB })[Symbol.asyncIterator]();
  for await (const chunk of createReadStream(a, { highWaterMark: MIB })) {
    const next = await other.next();
    if (next.done === true || !(chunk as Buffer).equals(next.value as Buffer)) return false;
  }
  return (await other.next()).done === true;
}

async function awsCli(targets: readonly Target[], load: ClientLoad): Promise<ClientCell[]> {
  const bytes = Math.max(1, Math.round(1024 * load.scale)) * MIB;
  const [sent, back] = [join(load.folder, 'aws-sent'), join(load.folder, 'aws-back')];
  await writeRandomFile(sent, bytes);
  const cells: ClientCell[] = [];
  for (const setting of Object.keys(AWS_SETTINGS) as AwsSetting[]) {
    for (const way of ['up', 'down'] as const) {
      for (const target of targets) {
        const remote = `s3://${target.bucket}/aws-cli`;
        const [from, to] = way === 'up' ? [sent, remote] : [remote, back];
        rmSync(back, { force: true });
        const name = `aws-cli ${sizeText(bytes)} ${way}, ${setting}`;
        const copy = () => awsCopy(target, { setting, from, to, folder: load.folder });
        cells.push(await measured(load, target, name, () => copy().then(() => ({ bytes }))));
        if (way === 'down' && !(await sameBytes(sent, back))) throw new Error(`${target.name} gave other bytes back`);
      }
    }
  }
  for (const file of [sent, back]) rmSync(file);
  return cells;
}

const LONG_KEY = 'long-object';
/** Enough that a median means something, few enough for a minute. */
const RANGES_A_TURN = 50;
/** Until the footer is read, and what V8 compiles is compiled: a gateway that runs has that behind it. */
const RANGES_TO_WARM_UP = 1000;
const TURNS = 8;

async function ranges(targets: readonly Target[], load: ClientLoad): Promise<ClientCell[]> {
  const partCount = Math.max(1, Math.round((5 * GIB * load.scale) / PART_BYTES));
  const object: LongObject = { key: LONG_KEY, partCount, part: randomBytes(PART_BYTES) };
  const size = sizeText(partCount * PART_BYTES);
  const cells: ClientCell[] = [];
  for (const target of targets) {
    const write = () => writeLongObject(target, object).then(() => ({ bytes: partCount * PART_BYTES }));
    cells.push(await measured(load, target, `${size} in parts of ${sizeText(PART_BYTES)} up`, write));
  }
  for (const lanes of [1, 8]) {
    for (const target of targets) await readRandomRanges(target, object, { times: RANGES_TO_WARM_UP, lanes });
    const turns: ClientCell[] = [];
    for (let turn = 0; turn < TURNS; turn++) {
      for (const target of targets) turns.push(await rangesTurn(target, object, lanes, load));
    }
    for (const target of targets) {
      const cell = together(turns.filter((turn) => turn.target === target.name));
      load.say(`${cell.work} through ${cell.target}: p50 ${cell.p50Milliseconds?.toFixed(1)} ms`);
      cells.push(cell);
    }
  }
  return cells;
}

function rangesTurn(target: Target, object: LongObject, lanes: number, load: ClientLoad): Promise<ClientCell> {
  const quiet = { ...load, say: () => undefined };
  return measured(quiet, target, `1 MiB ranges x${lanes} of ${sizeText(object.partCount * PART_BYTES)}`, async () => {
    const seconds = await readRandomRanges(target, object, { times: RANGES_A_TURN, lanes });
    return { bytes: seconds.length * MIB, seconds };
  });
}

/** Turns of one target as one cell: sums, and the median of the medians. */
function together(turns: readonly ClientCell[]): ClientCell {
  const [first] = turns;
  if (first === undefined) throw new Error('no turn was measured');
  const sum = (of: (cell: ClientCell) => number) => turns.reduce((total, cell) => total + of(cell), 0);
  const medians = turns.map((cell) => cell.p50Milliseconds ?? 0).sort((a, b) => a - b);
  return {
    ...first,
    seconds: sum((cell) => cell.seconds),
    bytes: sum((cell) => cell.bytes),
    p50Milliseconds: medians[Math.floor(medians.length / 2)] ?? 0,
    cpuSeconds: sum((cell) => cell.cpuSeconds),
    peakRssBytes: Math.max(...turns.map((cell) => cell.peakRssBytes)),
  };
}

const CROWD_LANES = 64;
const CROWD_SECONDS = 60;
const LARGE_BYTES = 4 * GIB;

/** Direct too: where the store itself is the limit, memory says nothing of the gateway. */
async function crowd(targets: readonly Target[], load: ClientLoad): Promise<ClientCell[]> {
  const small = Math.max(1, Math.round(64 * load.scale)) * MIB;
  const seconds = Math.max(5, Math.round(CROWD_SECONDS * load.scale));
  const cells: ClientCell[] = [];
  for (const [objectBytes, limit] of [
    [small, undefined],
    [LARGE_BYTES, seconds],
  ] as const) {
    // Sparse: zeros are as good as any bytes to a cipher, and cost no disk.
    const file = join(load.folder, `crowd-${objectBytes}`);
    writeFileSync(file, '');
    truncateSync(file, objectBytes);
    const keyOf = (lane: number) => `crowd/${lane}`;
    for (const method of ['PUT', 'GET'] as const) {
      const name = `${method} ${sizeText(objectBytes)} x${CROWD_LANES}${limit === undefined ? '' : `, ${limit} s of it`}`;
      for (const target of targets) {
        if (method === 'GET' && limit !== undefined) await writeOne(target, objectBytes, file);
        const all = { method, lanes: CROWD_LANES, file, objectBytes, seconds: limit };
        const place = limit === undefined || method === 'PUT' ? keyOf : () => 'crowd/large';
        const work = () => transferAtOnce(target, { ...all, keyOf: place }).then((bytes) => ({ bytes }));
        cells.push(await measured(load, target, name, work));
      }
    }
  }
  return cells;
}

async function writeOne(target: Target, objectBytes: number, file: string): Promise<void> {
  const keyOf = () => 'crowd/large';
  await transferAtOnce(target, { method: 'PUT', lanes: 1, keyOf, file, objectBytes, seconds: undefined });
}

const FILE_BYTES = 4 * 1024;

async function rclone(targets: readonly Target[], load: ClientLoad): Promise<ClientCell[]> {
  const count = Math.max(10, Math.round(10_000 * load.scale));
  const source = join(load.folder, 'rclone');
  for (let at = 0; at < count; at++) {
    const parent = join(source, String(at % 100));
    if (at < 100) mkdirSync(parent, { recursive: true });
    writeFileSync(join(parent, `file-${at}`), randomBytes(FILE_BYTES));
  }
  const cells: ClientCell[] = [];
  for (const [name, wanted] of [
    [`rclone sync of ${count} files of 4 KiB`, count],
    ['rclone sync again', 0],
  ] as const) {
    for (const target of targets) {
      const sync = async () => {
        const transferred = await rcloneSync(target, source, 'rclone');
        if (transferred !== wanted) throw new Error(`rclone transferred ${transferred} files instead of ${wanted}`);
        return { bytes: transferred * FILE_BYTES };
      };
      cells.push(await measured(load, target, name, sync));
    }
  }
  return cells;
}
