import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const POLL_MILLISECONDS = 500;

export interface LockOptions {
  readonly folder: string;
  readonly onWait: (holder: string) => void;
}

/**
 * Runs `work` while no other process does so in the same folder: two test runs that start at once on a fresh machine
 * must not build the same tool into the same place. A lock whose process has died is taken over.
 */
export async function withLock<T>(options: LockOptions, work: () => Promise<T>): Promise<T> {
  mkdirSync(options.folder, { recursive: true });
  const path = join(options.folder, 'lock');
  let announced = false;
  while (!tryCreate(path)) {
    const holder = holderOf(path);
    if (holder !== undefined && !isAlive(holder)) breakStale(path, holder);
    else {
      if (!announced) options.onWait(holder ?? 'unknown');
      announced = true;
      await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
    }
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryCreate(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function holderOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8') || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** One breaker at a time, and it looks again: else it might remove the lock of one that was quicker. */
function breakStale(path: string, holder: string): void {
  const guard = `${path}.breaking`;
  if (!tryCreate(guard)) {
    const breaker = holderOf(guard);
    if (breaker !== undefined && !isAlive(breaker)) rmSync(guard, { force: true });
    return;
  }
  try {
    if (holderOf(path) === holder) rmSync(path, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}
