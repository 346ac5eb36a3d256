import type { ClientCell } from './clients.ts';
import { figure, table } from './report.ts';

interface ClientGoal {
  /** How the names of its cells begin. */
  readonly work: string;
  readonly quantity: 'MB/s over direct' | 'p50 over direct' | 'peak RSS MB';
  readonly must: number;
}

/** Transfers by whole programs, ranges whose footer is cached, and memory, which size must not change. */
const CLIENT_GOALS: readonly ClientGoal[] = [
  { work: 'aws-cli', quantity: 'MB/s over direct', must: 0.75 },
  { work: '1 MiB ranges', quantity: 'p50 over direct', must: 1.3 },
  { work: 'PUT', quantity: 'peak RSS MB', must: 350 },
  { work: 'GET', quantity: 'peak RSS MB', must: 350 },
];

/** Markdown: every cell, then the goals. */
export function clientReport(cells: readonly ClientCell[]): string {
  return [cellTable(cells), '', goalTable(cells)].join('\n');
}

const megabytesPerSecond = (cell: ClientCell) => cell.bytes / 1e6 / cell.seconds;

function cellTable(cells: readonly ClientCell[]): string {
  const title = ['work', 'through', 's', 'MB/s', 'p50 ms', 'CPU s', 'CPU s per GiB', 'peak RSS MB'];
  const rows = cells.map((cell) => {
    const own = (value: number) => (cell.target === 'direct' ? '' : figure(value));
    return [
      cell.work,
      cell.target,
      figure(cell.seconds),
      cell.bytes === 0 ? '' : figure(megabytesPerSecond(cell)),
      figure(cell.p50Milliseconds),
      own(cell.cpuSeconds),
      own(cell.cpuSeconds / (cell.bytes / 2 ** 30)),
      own(cell.peakRssBytes / 1e6),
    ];
  });
  return table(title, rows);
}

function goalTable(cells: readonly ClientCell[]): string {
  const rows = CLIENT_GOALS.flatMap((goal) => {
    const through = cells.filter((cell) => cell.target === 'sealgate' && cell.work.startsWith(goal.work));
    return through.map((cell) => {
      const direct = cells.find((other) => other.target === 'direct' && other.work === cell.work);
      const now = reached(goal, cell, direct);
      const met = goal.quantity === 'MB/s over direct' ? now >= goal.must : now <= goal.must;
      return [`${cell.work}, ${goal.quantity}`, String(goal.must), figure(now), met ? 'must' : 'MISSED'];
    });
  });
  return table(['work', 'must', 'now', ''], rows);
}

function reached(goal: ClientGoal, cell: ClientCell, direct: ClientCell | undefined): number {
  if (goal.quantity === 'peak RSS MB') return cell.peakRssBytes / 1e6;
  if (direct === undefined) return Number.NaN;
  if (goal.quantity === 'p50 over direct') return (cell.p50Milliseconds ?? 0) / (direct.p50Milliseconds ?? 0);
  return megabytesPerSecond(cell) / megabytesPerSecond(direct);
}
