import {
  type Cell,
  cpuPerGib,
  cpuPerThousand,
  GOALS,
  type Goal,
  MEMORY_GOAL,
  megabytesPerSecond,
  requestsPerSecond,
  type TargetName,
  workName,
} from './work.ts';

/** Markdown: every cell, then the goals. */
export function markdownReport(cells: readonly Cell[]): string {
  return [cellTable(cells), '', goalTable(cells)].join('\n');
}

function cellTable(cells: readonly Cell[]): string {
  const title = [
    'work',
    'through',
    'req/s',
    'MB/s',
    'p50 ms',
    'p99 ms',
    'CPU s per 1,000',
    'CPU s per GiB',
    'peak RSS MB',
  ];
  const rows = cells.map((cell) => [
    workName(cell.work),
    cell.failures > 0 ? `${cell.target} (${cell.failures} FAILED)` : cell.target,
    figure(requestsPerSecond(cell)),
    figure(megabytesPerSecond(cell)),
    figure(cell.p50Milliseconds),
    figure(cell.p99Milliseconds),
    // MinIO's own consumption is measured the same way, but it is no price of a gateway.
    cell.target === 'direct' ? '' : figure(cpuPerThousand(cell)),
    cell.target === 'direct' ? '' : figure(cpuPerGib(cell)),
    cell.target === 'direct' ? '' : figure(cell.peakRssBytes / 1e6),
  ]);
  return table(title, rows);
}

function goalTable(cells: readonly Cell[]): string {
  const title = ['work', 'nginx then', 'best peer then', 'must', 'aim', 'nginx now', 'sealgate now', ''];
  const rows = GOALS.map((goal) => {
    const now = reached(cells, goal, 'sealgate');
    const lessIsBetter = goal.quantity.startsWith('CPU');
    const numbers = [goal.nginx, goal.bestPeer, goal.must, goal.aim].map(String);
    const name = `${goal.work}, ${goal.quantity}`;
    return [name, ...numbers, figure(reached(cells, goal, 'nginx')), figure(now), verdict(now, goal, lessIsBetter)];
  });
  const peak = (target: TargetName) => {
    const peaks = cells.filter((cell) => cell.target === target).map((cell) => cell.peakRssBytes / 1e6);
    return peaks.length === 0 ? undefined : Math.max(...peaks);
  };
  const { nginx, bestPeer, must, aim } = MEMORY_GOAL;
  const rss = peak('sealgate');
  const numbers = [nginx, bestPeer, must, aim].map(String);
  rows.push([
    'peak RSS over all of it, MB',
    ...numbers,
    figure(peak('nginx')),
    figure(rss),
    verdict(rss, MEMORY_GOAL, true),
  ]);
  return table(title, rows);
}

function reached(cells: readonly Cell[], goal: Goal, target: TargetName): number | undefined {
  const cellOf = (name: TargetName) => cells.find((cell) => cell.target === name && workName(cell.work) === goal.work);
  const cell = cellOf(target);
  if (!cell) return undefined;
  if (goal.quantity === 'CPU s per 1,000') return cpuPerThousand(cell);
  if (goal.quantity === 'CPU s per GiB') return cpuPerGib(cell);
  const direct = cellOf('direct');
  return direct && requestsPerSecond(cell) / requestsPerSecond(direct);
}

function verdict(now: number | undefined, goal: { must: number; aim: number }, lessIsBetter: boolean): string {
  if (now === undefined) return '';
  const reaches = (limit: number) => (lessIsBetter ? now <= limit : now >= limit);
  if (reaches(goal.aim)) return 'aim';
  return reaches(goal.must) ? 'must' : 'MISSED';
}

/** Three digits that count; nothing for what was not measured. */
export function figure(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '';
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** A markdown table. */
export function table(title: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (fields: readonly string[]) => `| ${fields.join(' | ')} |`;
  return [line(title), line(title.map(() => '---')), ...rows.map(line)].join('\n');
}
