import { UnexplainedClaim } from '../dialects/store-claim.ts';
import { GatewayError } from '../errors.ts';

/** How often a read begins anew because the object was replaced, before the gateway gives up. */
const MAX_ATTEMPTS = 3;

/** The object changed between two backend requests for one client request. */
export class ObjectReplaced extends GatewayError {
  constructor(options: { readonly cause?: unknown } = {}) {
    super('SlowDown', 'The object was replaced while it was read. Try again.', { source: 'backend', ...options });
  }
}

/** The errors that say that there is no such object. */
const ABSENT: ReadonlySet<GatewayError['code']> = new Set<GatewayError['code']>([
  'NoSuchKey',
  'NoSuchVersion',
  'MethodNotAllowed', // the version that was asked for is a delete marker
]);

/** Whether a store said that there is no such object, or only a delete marker. */
export function isAbsence(error: unknown): boolean {
  return error instanceof GatewayError && ABSENT.has(error.code);
}

const GONE: ReadonlySet<GatewayError['code']> = new Set([...ABSENT, 'PreconditionFailed', 'NoSuchBucket']);

/**
 * Waits for a request that is pinned to an object which was there a moment ago. If its precondition fails, the object
 * was replaced in between. Other errors that cannot be true of that object mean the same, so the client is not told
 * that it is gone.
 * @param but a code that can have another reason; for a copy, NoSuchBucket may be about the destination
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
 * Reads an object, and begins anew, up to three times, if it was replaced meanwhile: then the gateway's own pin failed,
 * and no condition of the client. If the object is gone by then, the client is told to try again, because it was there
 * when this request began.
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

/** The error for a backend that answers another range than it was asked for. */
export function anotherRange(): GatewayError {
  return new GatewayError('BackendError', 'The backend answered another range than it was asked for.', {
    source: 'backend',
  });
}
