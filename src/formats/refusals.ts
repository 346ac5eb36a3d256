import { corrupted as failsAuthentication } from '../envelope/corruption.ts';
import { GatewayError } from '../errors.ts';

/**
 * Makes the error ObjectCorrupted. Clients get the same message for everything that does not open (FORMAT.md §3.1).
 * @param reason stands in the log only
 */
export function corrupted(reason: string): GatewayError {
  return failsAuthentication(new Error(reason));
}

/** Makes the error for an object without an envelope in a bucket that does not allow plain objects. */
export function notSealed(): GatewayError {
  return new GatewayError(
    'ObjectNotSealed',
    'The stored object is not sealed, and the bucket’s policy does not allow plaintext (mixed).',
    { source: 'backend' },
  );
}
