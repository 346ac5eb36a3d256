import type { Reading } from '../../dialects/front-dialect.ts';
import type { GatewayError } from '../../errors.ts';
import type { CrossOriginAnswered } from '../../operations/answer.ts';
import { appendCrossOrigin, crossOriginQuestion } from '../../wire/cross-origin.ts';
import type { HeaderList } from '../../wire/headers.ts';
import type { PassThrough, WireRequest, WireResponse } from '../../wire/message.ts';
import type { HandlerServices } from '../handler-services.ts';
import type { RequestTrace } from '../trace.ts';

/**
 * The CORS headers for the answer to a page of another origin; undefined if the request names no origin. It never
 * rejects.
 */
export type Sharing = Promise<HeaderList> | undefined;

/**
 * Asks the store which CORS headers the answer gets. Browsers name the origin of the page that asks, and let the page
 * read an answer only if its headers allow that. A store sends them with every answer, errors included, so the gateway
 * must send them with the answers that it makes itself. The store is asked while the request is served.
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

/** Adds the CORS headers to an answer. A forwarded answer has the store's own already. */
export async function shared(
  answer: WireResponse | PassThrough,
  sharing: Promise<HeaderList>,
): Promise<WireResponse | PassThrough> {
  return 'passThrough' in answer ? answer : withWord(answer, await sharing);
}

/**
 * Adds `Vary: Origin` to the answer to a request that names no origin. Without it, a cache could give the answer to
 * pages, which then could not read it.
 */
export function unshared(answer: WireResponse | PassThrough, { method }: WireRequest): WireResponse | PassThrough {
  const cacheable = method === 'GET' || method === 'HEAD';
  if (cacheable && !('passThrough' in answer)) answer.headers.append('Vary', 'Origin');
  return answer;
}

/** Returns a renderer of errors that adds the CORS headers, because errors of forwarded requests are rendered anew. */
export async function sharedErrors(
  render: (error: GatewayError) => WireResponse,
  sharing: Sharing,
): Promise<(error: GatewayError) => WireResponse> {
  if (sharing === undefined) return render;
  const word = await sharing;
  return (error) => withWord(render(error), word);
}

/**
 * Answers OPTIONS, which browsers send before a request that a page may not send unasked. The store's answer is passed
 * on.
 */
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
 * Returns the bucket whose CORS rules apply. It must be the one that the request means, because the rules of another
 * one could let pages read what they may not. It is undefined if no reading is meant or the address cannot be read; the
 * answer is then an error.
 */
async function bucketOf(meaning: Promise<{ readonly reading: Reading }>): Promise<string | undefined> {
  try {
    return (await meaning).reading.resource().bucket;
  } catch {
    return undefined;
  }
}
