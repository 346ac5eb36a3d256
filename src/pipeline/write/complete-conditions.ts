import { GatewayError } from '../../errors.ts';
import type { Conditions } from '../../wire/conditions.ts';
import type { OperationContext } from '../context.ts';

/**
 * Before anything is sent of a write whose conditions the backend's CompleteMultipartUpload must judge.
 * @throws GatewayError NotImplemented where it would ignore them, and replace what the client means to keep
 */
export function mustJudgeOnComplete(
  { ifMatch, ifNoneMatch }: Conditions,
  { conditionalUploads }: OperationContext,
): void {
  if (conditionalUploads || (ifMatch ?? ifNoneMatch) === undefined) return;
  throw new GatewayError(
    'NotImplemented',
    'This backend ignores conditions on multipart uploads (backend.conditionalUploads), which copies and large uploads ' +
      'of unknown length become, too. Write without If-Match and If-None-Match, or with PutObject and a Content-Length.',
    { source: 'client' },
  );
}
