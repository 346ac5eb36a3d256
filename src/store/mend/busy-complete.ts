import { GatewayError } from '../../errors.ts';

/**
 * Whether a store failed because another Complete is working on the same upload. Ceph RGW answers 500 to the second
 * Complete. Versity S3 Gateway answers 500 to every request that finds the folder of the upload renamed: to the
 * Complete, and to questions about its outcome. The caller tries again, because the first Complete may have made the
 * object.
 */
export function isBusyWithUpload(error: unknown): boolean {
  return (
    error instanceof GatewayError && error.code === 'BackendUnavailable' && error.details.backendStatus !== undefined
  );
}

/**
 * Returns undefined if the error says that the store is busy with the upload.
 * @throws the error otherwise
 */
export function undefinedIfBusy(error: unknown): undefined {
  if (isBusyWithUpload(error)) return undefined;
  throw error;
}
