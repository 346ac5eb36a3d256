import { clientError, GatewayError } from '../../errors.ts';
import type { Conditions } from '../../wire/conditions.ts';
import type { StoreFindings } from '../capabilities.ts';

/**
 * Conditions that a store ignores cannot be judged here instead: whatever is written between the look and the write would
 * be replaced, which is what the client wants to prevent. So the gateway refuses them before it sends anything.
 */

/**
 * For a write whose conditions the store's CompleteMultipartUpload must judge.
 * @throws GatewayError NotImplemented where the store would ignore them
 */
export function refuseUnlessCompleteJudges(
  { ifMatch, ifNoneMatch }: Conditions,
  { capabilities }: StoreFindings,
): void {
  if (capabilities.conditionalCompletes || (ifMatch ?? ifNoneMatch) === undefined) return;
  throw new GatewayError(
    'NotImplemented',
    'This backend ignores conditions on multipart uploads (backend.conditionalUploads), which copies and large uploads ' +
      'of unknown length become, too. Write without If-Match and If-None-Match, or with PutObject and a Content-Length.',
    { source: 'client' },
  );
}

/** @throws GatewayError NotImplemented where the store would ignore If-Match and delete whatever lies there */
export function refuseUnlessDeleteJudges({ capabilities }: StoreFindings): void {
  if (capabilities.conditionalDeletes) return;
  throw clientError(
    'NotImplemented',
    'Conditional deletions are not available: many stores ignore the condition and delete whatever lies there. ' +
      'If this backend does not, its operator can set backend.conditionalDeletes.',
  );
}
