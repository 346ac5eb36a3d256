import type { FrontDialect, VerifiedBody } from '../dialects/front-dialect.ts';
import { clientError, type GatewayError } from '../errors.ts';
import type { Forward } from '../operations/operation.ts';
import type { Budget } from '../shares/memory-budget.ts';
import { collect } from '../wire/bodies/collect.ts';
import type { PassThrough, WireRequest, WireResponse } from '../wire/message.ts';
import type { OperationContext } from './context.ts';
import type { HandlerServices } from './handler-services.ts';

/** The longest body that is forwarded. The bodies are settings: a lifecycle or policy document is the largest. */
const MAX_FORWARD_BYTES = 1024 * 1024;

/**
 * Forwards a request that carries no object bytes to a backend that speaks the client's dialect. The client's body is
 * verified, the request is rendered anew from what the operation may carry, and it is signed anew.
 * @throws GatewayError NotImplemented over a backend of another dialect, MaxMessageLengthExceeded, SlowDown, and what
 *   verifying the body throws
 */
export async function forward(
  operation: Forward,
  exchange: {
    readonly request: WireRequest;
    readonly body: VerifiedBody;
    readonly front: FrontDialect;
    readonly renderError: (error: GatewayError) => WireResponse;
  },
  { store, budget }: OperationContext,
  { lane, originRules }: Pick<HandlerServices, 'lane' | 'originRules'>,
): Promise<PassThrough> {
  const { request, body, front } = exchange;
  if (front.name !== store.dialect.name) throw notAvailable(operation);
  const document = operation.document ?? (await readBody(operation, body, budget));
  const forwarded = store.forward(request, operation, document);
  if (forwarded === undefined) throw notAvailable(operation);
  const passThrough = lane.forward({
    ...forwarded,
    identity: store.identity,
    sharer: store.sharer,
    requestId: request.id,
    renderError: exchange.renderError,
  });
  if (operation.changesOriginRules !== true) return { passThrough };
  return {
    async passThrough(...ends) {
      await passThrough(...ends);
      originRules.forget();
    },
  };
}

function notAvailable({ name }: Forward): GatewayError {
  return clientError('NotImplemented', `${name} is not available over a backend of another dialect.`);
}

/** Reads the body into one buffer. The reservation counts it twice: as the pieces that came, and as that buffer. */
async function readBody(operation: Forward, body: VerifiedBody, budget: Budget): Promise<Buffer> {
  const { plaintextBytes = MAX_FORWARD_BYTES } = body;
  const release = budget.reserve(2 * Math.min(plaintextBytes, MAX_FORWARD_BYTES));
  try {
    return await collect(body.bytes(), MAX_FORWARD_BYTES, () =>
      clientError(
        'MaxMessageLengthExceeded',
        `The body of ${operation.name} may have at most ${MAX_FORWARD_BYTES} bytes.`,
      ),
    );
  } finally {
    release();
  }
}
