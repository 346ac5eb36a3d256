import type { ByteSource } from '../message.ts';

/**
 * A body that holds something as long as it lasts. `release` is called at its end, at a failure, and when the body is let
 * go, begun or not. (An async generator would not do: returning one that never began runs none of its code.)
 * @param first was pulled of `pieces` already
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
