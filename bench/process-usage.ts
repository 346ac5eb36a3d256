import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** A process and everything it started that still runs. */
function treeOf(rootPid: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    const fields = Number.isInteger(pid) ? statFields(pid) : undefined;
    if (fields) parents.set(pid, Number(fields[1]));
  }
  const tree = [rootPid];
  for (let at = 0; at < tree.length; at += 1) {
    for (const [pid, parent] of parents) if (parent === tree[at]) tree.push(pid);
  }
  return tree;
}

/** Fields of /proc/PID/stat from the third (state) on; the second, the name in parentheses, may hold spaces. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** CPU seconds, user and system, of the tree since it started, children that ended included. */
export function cpuSeconds(rootPid: number): number {
  let ticks = 0;
  for (const pid of treeOf(rootPid)) {
    const fields = statFields(pid);
    // proc(5): utime, stime, cutime, cstime are fields 14 to 17 of the line.
    if (fields) for (let field = 11; field <= 14; field += 1) ticks += Number(fields[field]);
  }
  return ticks / TICKS_PER_SECOND;
}

/** Sum over the tree of each process's peak resident set, in bytes: since the start, or since forgetPeak. */
export function peakRssBytes(rootPid: number): number {
  let kilobytes = 0;
  for (const pid of treeOf(rootPid)) {
    try {
      kilobytes += Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
    } catch {
      // It ended between the listing and the reading.
    }
  }
  return kilobytes * 1024;
}

/** Lets the peaks count from now on (proc(5): 5 in clear_refs). */
export function forgetPeak(rootPid: number): void {
  for (const pid of treeOf(rootPid)) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
    } catch {
      // Not permitted in some containers: the peak then counts from the start of the process.
    }
  }
}
