import type { StoredContent } from '../store/store.ts';

/** Content whose first bytes can be looked at before it is read. */
export interface PeekedContent extends StoredContent {
  /**
   * Gives a copy of the first bytes, or of all of them where the content is shorter. Reading still begins with them.
   */
  peek(bytes: number): Promise<Buffer>;
}

/**
 * Makes it possible to look at the first bytes of content. The content must be read through the result from then on.
 */
export function peekedContent(content: StoredContent): PeekedContent {
  const pieces = content.body[Symbol.asyncIterator]();
  let pulled: Buffer | undefined;
  let over = false;
  const pull = async (): Promise<void> => {
    // A chunk is valid only until the next pull, so it is copied.
    const before = pulled && Buffer.from(pulled);
    const result = await pieces.next();
    over = result.done === true;
    pulled = result.done ? before : Buffer.concat([...(before ? [before] : []), result.value]);
  };
  const iterator: AsyncIterator<Buffer> = {
    async next() {
      if (pulled === undefined) return over ? { done: true, value: undefined } : pieces.next();
      const value = pulled;
      pulled = undefined;
      return { done: false, value };
    },
    async return() {
      await pieces.return?.();
      return { done: true, value: undefined };
    },
  };
  return {
    ...content,
    body: { [Symbol.asyncIterator]: () => iterator },
    async peek(bytes) {
      while (!over && (pulled?.length ?? 0) < bytes) await pull();
      return Buffer.from(pulled?.subarray(0, bytes) ?? []);
    },
  };
}
