import type { FrontDialect, RenderContext } from '../../dialects/front-dialect.ts';
import type { Answer } from '../../operations/answer.ts';
import { held } from '../../wire/bodies/held-body.ts';
import type { WireResponse } from '../../wire/message.ts';

/**
 * Renders an answer in the client's dialect. An answer that holds memory, such as a listing, is released once its
 * document was written or abandoned.
 */
export function rendered(answer: Answer, front: FrontDialect, context: RenderContext): WireResponse {
  if (!('release' in answer)) return front.render(answer, context);
  let response: WireResponse | undefined;
  try {
    response = front.render(answer, context);
  } finally {
    if (response?.body === undefined || Buffer.isBuffer(response.body)) answer.release();
  }
  const { body } = response;
  return body === undefined || Buffer.isBuffer(body)
    ? response
    : { ...response, body: held(body[Symbol.asyncIterator](), answer.release) };
}
