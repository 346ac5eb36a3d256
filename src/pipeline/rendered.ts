import type { FrontDialect, RenderContext } from '../dialects/dialect.ts';
import type { Answer, Release } from '../operations/answer.ts';
import type { ByteSource, WireResponse } from '../wire/message.ts';

/** The answer as the front spells it. What the answer holds is given back once its document was written or let go. */
export function rendered(answer: Answer, front: FrontDialect, context: RenderContext): WireResponse {
  if (!('release' in answer)) return front.render(answer, context);
  let response: WireResponse | undefined;
  try {
    response = front.render(answer, context);
  } finally {
    if (response?.body === undefined || Buffer.isBuffer(response.body)) answer.release();
  }
  const { body } = response;
  return body === undefined || Buffer.isBuffer(body) ? response : { ...response, body: held(body, answer.release) };
}

/** Not a generator: returning one that never began runs none of its code. */
function held(source: ByteSource, release: Release): ByteSource {
  const pieces = source[Symbol.asyncIterator]();
  const iterator: AsyncIterator<Buffer> = {
    async next() {
      try {
        const result = await pieces.next();
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
