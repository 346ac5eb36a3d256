import { GatewayError } from '../errors.ts';

/** How often an object may be replaced under our reading before we give up. */
const MAX_ATTEMPTS = 3;

/** The object changed between two backend requests for one client request. */
export class ObjectReplaced extends GatewayError {
  constructor() {
    super('SlowDown', 'The object was replaced while it was read. Try again.', { source: 'backend' });
  }
}

/** A follow-up request's own precondition failing means the object was replaced in between. */
export async function pinned<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    const replaced =
      error instanceof GatewayError && (error.code === 'PreconditionFailed' || error.code === 'NoSuchKey');
    throw replaced ? new ObjectReplaced() : error;
  }
}

/** Our own pin (If-Match on a later request) failed, not the client's condition: then the new object is read. */
export async function readingAgain<T>(attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ObjectReplaced) || attempts === MAX_ATTEMPTS) throw error;
    }
  }
}

export function anotherRange(): GatewayError {
  return new GatewayError('BackendError', 'The backend answered another range than it was asked for.', {
    source: 'backend',
  });
}
