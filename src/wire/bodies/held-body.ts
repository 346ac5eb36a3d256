import type { ByteSource } from '../message.ts';

/**
 * A body that holds a resource until it is read or released. `release` is called at its end, at a failure, and when the
 * consumer returns the iterator, even if it has read nothing. An async generator could not do that: if it is returned
 * before its first pull, none of its code runs.
 * @param release may be called more than once
 * @param first the first result of `pieces`, where it was pulled already
 */
export function held(pieces: AsyncIterator<Buffer>, release: () => void, first?: IteratorResult<Buffer>): ByteSource {
  let pulled = first;
  const iterator: AsyncIterator<Buffer> = {
    async next() {
      try {
        const result = pulled ?? (await pieces.next());
        pulled = undefined;
        if (result.done) release();
        return result;
      } catch (error) {
        release();
        throw error;
      }
    },
    async return() {
      release();
      await pieces.return?.();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
