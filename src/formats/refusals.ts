import { corrupted as failsAuthentication } from '../envelope/corruption.ts';
import { GatewayError } from '../errors.ts';

/** @param reason for the log alone: a client hears the same of everything that does not open (FORMAT.md §3.1) */
export function corrupted(reason: string): GatewayError {
  return failsAuthentication(new Error(reason));
}

export function notSealed(): GatewayError {
  return new GatewayError(
    'ObjectNotSealed',
    'The stored object is not sealed, and the bucket’s policy does not allow plaintext (mixed).',
    { source: 'backend' },
  );
}
