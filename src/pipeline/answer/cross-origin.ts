import type { Reading } from '../../dialects/front-dialect.ts';
import type { GatewayError } from '../../errors.ts';
import type { CrossOriginAnswered } from '../../operations/answer.ts';
import { appendCrossOrigin, crossOriginQuestion } from '../../wire/cross-origin.ts';
import type { HeaderList } from '../../wire/headers.ts';
import type { PassThrough, WireRequest, WireResponse } from '../../wire/message.ts';
import type { HandlerServices } from '../handler-services.ts';
import type { RequestTrace } from '../trace.ts';

/** The CORS headers for the answer to a request; undefined where the request has no Origin. It never rejects. */
export type CorsHeaders = Promise<HeaderList> | undefined;

/**
 * Asks for the CORS headers of a request's answer. A browser sends the origin of the page that asks, and lets the page
 * read an answer only if the answer's headers allow it. A store sends them on all answers, errors included, so the
 * gateway must do so on the answers that it makes itself. It asks the store for them while the request is served, and
 * adds them to the answer, whether it is a success or an error.
 */
export function corsHeadersFor(
  request: WireRequest,
  meaning: Promise<{ readonly reading: Reading }>,
  { originRules }: Pick<HandlerServices, 'originRules'>,
): CorsHeaders {
  const origin = request.headers.get('origin');
  if (origin === undefined || request.method === 'OPTIONS') return undefined;
  return bucketOf(meaning).then((bucket) => originRules.answerTo({ origin, bucket, method: request.method }));
}

/** Adds the CORS headers to an answer. A forwarded answer is left alone, because it has the store's own. */
export async function withCorsHeaders(
  answer: WireResponse | PassThrough,
  corsHeaders: Promise<HeaderList>,
): Promise<WireResponse | PassThrough> {
  return 'passThrough' in answer ? answer : addCorsHeaders(answer, await corsHeaders);
}

/**
 * Adds `Vary: Origin` to the answer to a request without Origin. Otherwise a cache would give this answer, which has no
 * CORS headers, to pages as well, and their browsers would not let them read it.
 */
export function varyingByOrigin(
  answer: WireResponse | PassThrough,
  { method }: WireRequest,
): WireResponse | PassThrough {
  const cacheable = method === 'GET' || method === 'HEAD';
  if (cacheable && !('passThrough' in answer)) answer.headers.append('Vary', 'Origin');
  return answer;
}

/** Makes `render` add the CORS headers to the errors of a forwarded request, which the gateway renders itself. */
export async function errorsWithCorsHeaders(
  render: (error: GatewayError) => WireResponse,
  corsHeaders: CorsHeaders,
): Promise<(error: GatewayError) => WireResponse> {
  if (corsHeaders === undefined) return render;
  const cors = await corsHeaders;
  return (error) => addCorsHeaders(render(error), cors);
}

/** Answers a browser's preflight (OPTIONS) as the store answers it. */
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

function addCorsHeaders(response: WireResponse, cors: HeaderList): WireResponse {
  appendCrossOrigin(cors, response.headers);
  return response;
}

/**
 * The bucket whose CORS rules count: the one that the request is answered for. Another bucket's rules could let pages
 * read what they must not. undefined where the request cannot be read; its answer is an error that says why.
 */
async function bucketOf(meaning: Promise<{ readonly reading: Reading }>): Promise<string | undefined> {
  try {
    return (await meaning).reading.resource().bucket;
  } catch {
    return undefined;
  }
}
