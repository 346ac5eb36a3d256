import { clientError, GatewayError } from '../../errors.ts';
import type { Capability, StoreFindings } from '../capabilities.ts';

/**
 * The gateway cannot judge conditions in place of a store that ignores them: what is written between its look and its
 * write would be replaced, which the client wants to prevent. So it refuses such a request before it sends anything,
 * with NotImplemented, or with BackendUnavailable (503) while it is still finding out what the store does.
 */

/** The refusal of a client's PutObject with a condition. */
export function ignoredOnPut(findings: StoreFindings): GatewayError {
  return (
    askLater('conditionalPuts', findings) ??
    clientError(
      'NotImplemented',
      'Conditions on PutObject are not available: this backend ignores them, or the gateway could not try whether it ' +
        'does. If the backend holds to them, its operator can set backend.conditionalUploads.',
    )
  );
}

/** The refusal of a write whose conditions the store's CompleteMultipartUpload would have to obey. */
export function ignoredOnComplete(findings: StoreFindings): GatewayError {
  return (
    askLater('conditionalCompletes', findings) ??
    new GatewayError(
      'NotImplemented',
      'This backend ignores conditions on multipart uploads (backend.conditionalUploads), which copies and large ' +
        'uploads of unknown length become, too. Write without If-Match and If-None-Match, or with PutObject and a ' +
        'Content-Length.',
      { source: 'client' },
    )
  );
}

/** The refusal of a deletion with If-Match, because the store would delete any object there. */
export function ignoredOnDelete(findings: StoreFindings): GatewayError {
  return (
    askLater('conditionalDeletes', findings) ??
    clientError(
      'NotImplemented',
      'Conditional deletions are not available: many stores ignore the condition and delete whatever lies there. ' +
        'If this backend does not, its operator can set backend.conditionalDeletes.',
    )
  );
}

function askLater(name: Capability, { pending }: StoreFindings): GatewayError | undefined {
  if (!pending.includes(name)) return undefined;
  return new GatewayError(
    'BackendUnavailable',
    'The gateway is still finding out whether this backend holds to conditions. Try again.',
    { source: 'backend' },
  );
}
