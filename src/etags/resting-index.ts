import { performance } from 'node:perf_hooks';
import type { EtagIndex } from './etag-index.ts';

/**
 * How long a failing index is not asked again, so that a store that hangs does not delay every request by its time-out.
 */
const REST_MILLISECONDS = 1000;

/** Counts the failures of an index. */
export interface EtagIndexObserver {
  indexFailed(verb: 'read' | 'write'): void;
}

/**
 * Makes an index that never throws, for use as a cache. Where `index` fails, it answers that nothing is known, and does
 * not ask `index` again for a second.
 */
export function restingIndex(
  index: EtagIndex,
  observer: EtagIndexObserver,
  monotonicNow: () => number = () => performance.now(),
): EtagIndex {
  let restsUntil = 0;
  const attempt = async <T>(verb: 'read' | 'write', work: () => Promise<T>, otherwise: T): Promise<T> => {
    if (monotonicNow() < restsUntil) {
      observer.indexFailed(verb);
      return otherwise;
    }
    try {
      return await work();
    } catch {
      restsUntil = monotonicNow() + REST_MILLISECONDS;
      observer.indexFailed(verb);
      return otherwise;
    }
  };
  return {
    read: (names) => attempt('read', () => index.read(names), new Array<undefined>(names.length).fill(undefined)),
    write: (entries) => attempt('write', () => index.write(entries), undefined),
    close: () => index.close(),
  };
}
