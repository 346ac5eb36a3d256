import { UnexplainedClaim } from '../dialects/store-claim.ts';
import { GatewayError } from '../errors.ts';

/** How often an object may be replaced while it is read before the gateway gives up. */
const MAX_ATTEMPTS = 3;

/** The object changed between two backend requests for one client request. */
export class ObjectReplaced extends GatewayError {
  constructor(options: { readonly cause?: unknown } = {}) {
    super('SlowDown', 'The object was replaced while it was read. Try again.', { source: 'backend', ...options });
  }
}

/** The errors that say that an object is not there. */
const ABSENT: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'NoSuchKey',
  'NoSuchVersion',
  'MethodNotAllowed', // a delete marker
]);

/** Whether a store said that there is no such object, or only a delete marker. */
export function isAbsence(error: unknown): boolean {
  return error instanceof GatewayError && ABSENT.has(error.code);
}

const GONE: ReadonlySet<GatewayError['code']> = new Set([...ABSENT, 'PreconditionFailed', 'NoSuchBucket']);

/**
 * Waits for a request that is pinned to an object which was there just now. When its precondition fails, the object was
 * replaced in between. The same follows from whatever else cannot be true of that object, so that no client hears that it is
 * gone.
 * @param but a code that has another reason: a copy is told NoSuchBucket of its destination
 * @throws ObjectReplaced, and what the request throws
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
 * Reads an object, and begins anew, up to three times, when it was replaced meanwhile: the gateway's own pin failed then,
 * and no condition of the client's. Where there is none any more, the client is told to ask again, and hears of it then: the
 * object was there when this request began.
 */
export async function readingAgain<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (attempts > 1 && isAbsence(error)) throw new ObjectReplaced({ cause: error });
      if (!(error instanceof ObjectReplaced) || attempts === MAX_ATTEMPTS) throw error;
    }
  }
}

export function anotherRange(): GatewayError {
  return new GatewayError('BackendError', 'The backend answered another range than it was asked for.', {
    source: 'backend',
  });
}
