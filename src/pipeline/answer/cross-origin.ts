import type { FrontDialect, RenderContext } from '../../dialects/front-dialect.ts';
import type { GatewayError } from '../../errors.ts';
import type { CrossOriginAnswered } from '../../operations/answer.ts';
import type { Resource } from '../../operations/object.ts';
import { appendCrossOrigin, crossOriginQuestion } from '../../wire/cross-origin.ts';
import type { HeaderList } from '../../wire/headers.ts';
import type { PassThrough, WireRequest, WireResponse } from '../../wire/message.ts';
import type { HandlerServices } from '../handler-services.ts';
import type { RequestTrace } from '../trace.ts';

/** What pages of a request's origin are told of its answer; undefined when it names none. Never rejects. */
export type Sharing = Promise<HeaderList> | undefined;

/**
 * Browsers name the origin of the page that asks, and let the page read an answer only if it says so. A store says it
 * on every answer, errors too, and so the gateway must on those that it makes itself: the store's word is asked for
 * beside the request, and stands on whatever comes of it.
 */
export function sharingOf(
  request: WireRequest,
  front: FrontDialect,
  { settings, originRules }: Pick<HandlerServices, 'settings' | 'originRules'>,
): Sharing {
  const origin = request.headers.get('origin');
  if (origin === undefined || request.method === 'OPTIONS') return undefined;
  const { bucket } = resourceOf(request, front, settings);
  return originRules.answerTo({ origin, bucket, method: request.method });
}

/** The answer to a page. Forwarded answers are the store's own already. */
export async function shared(
  answer: WireResponse | PassThrough,
  sharing: Promise<HeaderList>,
): Promise<WireResponse | PassThrough> {
  return 'passThrough' in answer ? answer : withWord(answer, await sharing);
}

/** The answer to a request that names no page: or a cache would give it to pages, which then may not read it. */
export function unshared(answer: WireResponse | PassThrough, { method }: WireRequest): WireResponse | PassThrough {
  const cacheable = method === 'GET' || method === 'HEAD';
  if (cacheable && !('passThrough' in answer)) answer.headers.append('Vary', 'Origin');
  return answer;
}

/** Errors of forwarded requests are told anew. */
export async function sharedErrors(
  render: (error: GatewayError) => WireResponse,
  sharing: Sharing,
): Promise<(error: GatewayError) => WireResponse> {
  if (sharing === undefined) return render;
  const word = await sharing;
  return (error) => withWord(render(error), word);
}

/** OPTIONS, which browsers send before what a page may not send unasked: the store's answer, whatever it is. */
export async function preflight(
  request: WireRequest,
  { front, trace }: { readonly front: FrontDialect; readonly trace: RequestTrace },
  { settings, originRules }: Pick<HandlerServices, 'settings' | 'originRules'>,
): Promise<CrossOriginAnswered> {
  trace.operation = 'Preflight';
  const resource = front.resourceOf(request, settings);
  trace.bucket = resource.bucket;
  return originRules.preflight(resource, crossOriginQuestion(request.headers), request.signal);
}

function withWord(response: WireResponse, word: HeaderList): WireResponse {
  appendCrossOrigin(word, response.headers);
  return response;
}

/** Rules go by bucket: where an address cannot be read, the answer itself will say so. */
function resourceOf(request: WireRequest, front: FrontDialect, settings: RenderContext['settings']): Resource {
  try {
    return front.resourceOf(request, settings);
  } catch {
    return {};
  }
}
