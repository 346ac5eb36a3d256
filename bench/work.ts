/** What is measured, and how good it must be. */
export type Method = 'GET' | 'PUT';
export type TargetName = 'direct' | 'nginx' | 'sealgate';

export interface Work {
  readonly method: Method;
  readonly bodyBytes: number;
  readonly concurrency: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** From here on one request takes so long that curl measures it, a process a connection. */
export const LARGE_BYTES = 64 * MIB;

const SIZES: readonly { bodyBytes: number; concurrencies: readonly number[] }[] = [
  { bodyBytes: 4 * KIB, concurrencies: [1, 8, 32] },
  { bodyBytes: MIB, concurrencies: [1, 8, 32] },
  { bodyBytes: 256 * MIB, concurrencies: [1, 4] },
];

/** PUT before GET: a store that was just written to is what a GET finds in life, too. */
export const WORKS: readonly Work[] = SIZES.flatMap(({ bodyBytes, concurrencies }) =>
  (['PUT', 'GET'] as const).flatMap((method) =>
    concurrencies.map((concurrency) => ({ method, bodyBytes, concurrency })),
  ),
);

export function sizeText(bytes: number): string {
  return bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`;
}

/** "GET 4 KiB x32": the name in tables, and what --only is compared with. */
export function workName({ method, bodyBytes, concurrency }: Work): string {
  return `${method} ${sizeText(bodyBytes)} x${concurrency}`;
}

/** Distinct keys in turn: enough that connections do not meet on one object, few enough for wrk's memory. */
export function keyCount(bodyBytes: number): number {
  if (bodyBytes >= LARGE_BYTES) return 4;
  return bodyBytes >= MIB ? 32 : 512;
}

export function keyName(bodyBytes: number, index: number): string {
  return `${sizeText(bodyBytes).replace(' ', '-').toLowerCase()}/object-${index}`;
}

export interface Measurement {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** Answers that were no success, and connections that broke. */
  readonly failures: number;
}

export interface Cell extends Measurement {
  readonly target: TargetName;
  readonly work: Work;
  /** Of the gateway or nginx; for direct, of MinIO. */
  readonly cpuSeconds: number;
  readonly peakRssBytes: number;
}

export const requestsPerSecond = (cell: Cell) => cell.requests / cell.seconds;
export const megabytesPerSecond = (cell: Cell) => (requestsPerSecond(cell) * cell.work.bodyBytes) / 1e6;
export const cpuPerThousand = (cell: Cell) => (cell.cpuSeconds / cell.requests) * 1000;
export const cpuPerGib = (cell: Cell) => cell.cpuSeconds / ((cell.requests * cell.work.bodyBytes) / 2 ** 30);

export type Quantity = 'CPU s per 1,000' | 'CPU s per GiB' | 'req/s over direct' | 'MB/s over direct';

export interface Goal {
  readonly work: string;
  readonly quantity: Quantity;
  readonly nginx: number;
  readonly bestPeer: number;
  readonly must: number;
  readonly aim: number;
}

const goal = (work: string, quantity: Quantity, numbers: readonly [number, number, number, number]): Goal => ({
  work,
  quantity,
  nginx: numbers[0],
  bestPeer: numbers[1],
  must: numbers[2],
  aim: numbers[3],
});

/** Measured on 21 November 2026 on 2 cores against MinIO: nginx, the best peer in that cell; then must and aim. */
export const GOALS: readonly Goal[] = [
  goal('GET 4 KiB x32', 'CPU s per 1,000', [0.06, 0.31, 0.2, 0.12]),
  goal('PUT 4 KiB x32', 'CPU s per 1,000', [0.08, 0.75, 0.35, 0.2]),
  goal('GET 1 MiB x8', 'CPU s per GiB', [0.69, 1.34, 1.5, 1.0]),
  goal('PUT 1 MiB x8', 'CPU s per GiB', [0.47, 4.6, 2.2, 1.3]),
  goal('GET 256 MiB x4', 'CPU s per GiB', [0.34, 0.93, 1.5, 0.9]),
  goal('PUT 256 MiB x4', 'CPU s per GiB', [0.51, 1.05, 1.8, 1.1]),
  goal('GET 4 KiB x32', 'req/s over direct', [0.74, 0.42, 0.5, 0.65]),
  goal('PUT 4 KiB x32', 'req/s over direct', [0.92, 0.87, 0.85, 0.9]),
  goal('GET 1 MiB x8', 'MB/s over direct', [0.57, 0.45, 0.42, 0.5]),
  goal('PUT 1 MiB x8', 'MB/s over direct', [0.9, 0.71, 0.75, 0.85]),
];

/** Peak RSS of the gateway over the whole run, in MB (10^6 bytes). */
export const MEMORY_GOAL = { nginx: 12, bestPeer: 137, must: 220, aim: 150 } as const;
