import type { Reading } from '../../dialects/front-dialect.ts';
import type { GatewayError } from '../../errors.ts';
import type { CrossOriginAnswered } from '../../operations/answer.ts';
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
  meaning: Promise<{ readonly reading: Reading }>,
  { originRules }: Pick<HandlerServices, 'originRules'>,
): Sharing {
  const origin = request.headers.get('origin');
  if (origin === undefined || request.method === 'OPTIONS') return undefined;
  return bucketOf(meaning).then((bucket) => originRules.answerTo({ origin, bucket, method: request.method }));
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
  { reading, trace }: { readonly reading: Reading; readonly trace: RequestTrace },
  { originRules }: Pick<HandlerServices, 'originRules'>,
): Promise<CrossOriginAnswered> {
  trace.operation = 'Preflight';
  const resource = reading.resource();
  trace.bucket = resource.bucket;
  return originRules.preflight(resource, crossOriginQuestion(request.headers), request.signal);
}

function withWord(response: WireResponse, word: HeaderList): WireResponse {
  appendCrossOrigin(word, response.headers);
  return response;
}

/**
 * Rules go by bucket, and that is the one that is answered for: the rules of another one would let pages read what they
 * may not. Where no reading is meant, or its address cannot be read, the answer itself will say so.
 */
async function bucketOf(meaning: Promise<{ readonly reading: Reading }>): Promise<string | undefined> {
  try {
    return (await meaning).reading.resource().bucket;
  } catch {
    return undefined;
  }
}
