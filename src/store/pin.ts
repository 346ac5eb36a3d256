import { UnexplainedClaim } from '../dialects/store-claim.ts';
import { GatewayError } from '../errors.ts';

/** How often an object may be replaced under our reading before we give up. */
const MAX_ATTEMPTS = 3;

/** The object changed between two backend requests for one client request. */
export class ObjectReplaced extends GatewayError {
  constructor(options: { readonly cause?: unknown } = {}) {
    super('SlowDown', 'The object was replaced while it was read. Try again.', { source: 'backend', ...options });
  }
}

/** What a store says of an object that is not there. */
export const ABSENT: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'NoSuchKey',
  'NoSuchVersion',
  'MethodNotAllowed', // a delete marker
]);

const GONE: ReadonlySet<GatewayError['code']> = new Set([...ABSENT, 'PreconditionFailed', 'NoSuchBucket']);

/**
 * A follow-up request's own precondition failing means the object was replaced in between. So does whatever else cannot
 * be true of the object that was just there: should it go on, the object is not read, and nobody hears that it is gone.
 * @param but what has another reason: a copy is told NoSuchBucket of its destination
 */
export async function pinned<T>(promise: Promise<T>, but?: GatewayError['code']): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    const gone = error instanceof GatewayError && GONE.has(error.code) && error.code !== but;
    const replaced = gone || error instanceof UnexplainedClaim;
    throw replaced ? new ObjectReplaced({ cause: error }) : error;
  }
}

/**
 * Our own pin (If-Match on a later request) failed, not the client's condition: then the new object is read. Where there
 * is none any more the client asks again, and hears of it then: it was there when this request began.
 */
export async function readingAgain<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (attempts > 1 && error instanceof GatewayError && ABSENT.has(error.code)) {
        throw new ObjectReplaced({ cause: error });
      }
      if (!(error instanceof ObjectReplaced) || attempts === MAX_ATTEMPTS) throw error;
    }
  }
}

export function anotherRange(): GatewayError {
  return new GatewayError('BackendError', 'The backend answered another range than it was asked for.', {
    source: 'backend',
  });
}
