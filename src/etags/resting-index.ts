import { performance } from 'node:perf_hooks';
import type { EtagIndex } from './etag-index.ts';

/** A store that hangs costs a request its time-out once in so long, and not every request. */
const REST_MILLISECONDS = 1000;

/** Who counts what the index fails at. */
export interface EtagIndexObserver {
  indexFailed(verb: 'read' | 'write'): void;
}

/**
 * The same index, for those to whom it is a cache and no more: it never fails, it only knows nothing. After a failure it
 * is left alone for a second.
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
