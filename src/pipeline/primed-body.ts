import type { ByteSource } from '../wire/message.ts';

/**
 * A body whose first bytes were pulled already, so that what fails there is still an error answer and not a broken
 * connection. `release` is called once: at the end, at a failure, or when the body is let go, begun or not. (An async
 * generator would not do: returning one that never began runs none of its code.)
 */
export async function primed(source: ByteSource, release: () => void): Promise<ByteSource> {
  const rest = source[Symbol.asyncIterator]();
  let first: IteratorResult<Buffer> | undefined = await rest.next();
  const iterator: AsyncIterator<Buffer> = {
    async next() {
      if (first !== undefined) {
        const result = first;
        first = undefined;
        if (result.done) release();
        return result;
      }
      try {
        const result = await rest.next();
        if (result.done) release();
        return result;
      } catch (error) {
        release();
        throw error;
      }
    },
    async return() {
      release();
      await rest.return?.();
      return { done: true, value: undefined };
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
