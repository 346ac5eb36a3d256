import { clientError, GatewayError } from '../../errors.ts';

/**
 * Conditions that a store ignores cannot be judged by the gateway instead: whatever is written between the look and the
 * write would be replaced, which is what the client wants to prevent. So the gateway refuses such a request before it
 * sends anything.
 */

/** NotImplemented, for a write whose conditions the store's CompleteMultipartUpload would have to judge. */
export function ignoredOnComplete(): GatewayError {
  return new GatewayError(
    'NotImplemented',
    'This backend ignores conditions on multipart uploads (backend.conditionalUploads), which copies and large uploads ' +
      'of unknown length become, too. Write without If-Match and If-None-Match, or with PutObject and a Content-Length.',
    { source: 'client' },
  );
}

/** NotImplemented, for a deletion with If-Match: the store would delete whatever stands there. */
export function ignoredOnDelete(): GatewayError {
  return clientError(
    'NotImplemented',
    'Conditional deletions are not available: many stores ignore the condition and delete whatever lies there. ' +
      'If this backend does not, its operator can set backend.conditionalDeletes.',
  );
}
