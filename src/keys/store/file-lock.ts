import { randomBytes } from 'node:crypto';
import { open, readFile, rename, unlink, utimes } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { keyStoreUnavailable } from './record-store.ts';

/** When a lock is taken over, and when waiting for one is given up. */
export interface FileLockLimits {
  /** A lock that nobody has touched for this long belongs to a process that died. */
  readonly staleSeconds: number;
  /**
   * How long a writer waits for others. It must be longer than staleSeconds, or the lock of a dead writer makes a write
   * fail.
   */
  readonly waitSeconds: number;
}

const DEFAULT_LIMITS: FileLockLimits = { staleSeconds: 3, waitSeconds: 10 };
const RETRY_MILLISECONDS = 15;

/**
 * Lets one process write at a time, by means of a file that only one of them can create. Its holder touches it every
 * second. A waiter that sees no touch for staleSeconds *by its own clock* takes it over. Nothing else would do: a
 * process id means nothing across containers that share a volume, and a file's time means nothing across machines.
 */
export class FileLock {
  readonly #path: string;
  readonly #limits: FileLockLimits;

  constructor(path: string, limits: FileLockLimits = DEFAULT_LIMITS) {
    this.#path = path;
    this.#limits = limits;
  }

  /**
   * Runs `work` while holding the lock. `work` calls `stillHeld` at the last moment before its change becomes visible.
   * @throws GatewayError KeyStoreUnavailable if the lock cannot be taken, or was lost
   */
  async hold<T>(work: (stillHeld: () => Promise<void>) => Promise<T>): Promise<T> {
    const token = randomBytes(12).toString('hex');
    await this.#acquire(token);
    const touch = setInterval(() => {
      const now = new Date();
      utimes(this.#path, now, now).catch(() => undefined); // if the file is gone, stillHeld throws
    }, 1000);
    try {
      return await work(() => this.#check(token));
    } finally {
      clearInterval(touch);
      if (await this.#holds(token)) await unlink(this.#path).catch(() => undefined);
    }
  }

  async #acquire(token: string): Promise<void> {
    const startedAt = performance.now();
    let seen = '';
    let seenAt = startedAt;
    while (!(await this.#create(token))) {
      const now = performance.now();
      const state = await this.#state();
      if (state !== seen) {
        seen = state;
        seenAt = now;
      } else if (state !== '' && now - seenAt > this.#limits.staleSeconds * 1000) {
        await this.#breakStale(state, token);
        continue;
      }
      if (now - startedAt > this.#limits.waitSeconds * 1000) {
        throw keyStoreUnavailable(
          new Error('timeout'),
          `The key store’s lock ${this.#path} is held by another writer.`,
        );
      }
      await delay(RETRY_MILLISECONDS);
    }
  }

  async #create(token: string): Promise<boolean> {
    try {
      const file = await open(this.#path, 'wx', 0o600);
      try {
        await file.writeFile(token);
      } finally {
        await file.close();
      }
      return true;
    } catch (error) {
      if (isCode(error, 'EEXIST')) return false;
      throw keyStoreUnavailable(error, `The key store’s lock ${this.#path} cannot be written.`);
    }
  }

  /** Returns the lock's token and its last touch; empty if there is no lock. */
  async #state(): Promise<string> {
    try {
      const file = await open(this.#path, 'r');
      try {
        return `${await file.readFile('utf8')}@${(await file.stat({ bigint: true })).mtimeNs}`;
      } finally {
        await file.close();
      }
    } catch {
      return '';
    }
  }

  /**
   * Removes a stale lock. Two waiters may both have seen it, so it looks again first: the second must not remove the
   * first one's lock.
   */
  async #breakStale(state: string, token: string): Promise<void> {
    if ((await this.#state()) !== state) return;
    const grave = `${this.#path}.${token}`;
    try {
      await rename(this.#path, grave);
      await unlink(grave);
    } catch {
      // Another waiter has removed it already.
    }
  }

  async #check(token: string): Promise<void> {
    if (await this.#holds(token)) return;
    throw keyStoreUnavailable(new Error('lock lost'), `The key store’s lock ${this.#path} was taken over.`);
  }

  async #holds(token: string): Promise<boolean> {
    return (await readFile(this.#path, 'utf8').catch(() => '')) === token;
  }
}

/** Whether this is a system error with this code, such as ENOENT. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
