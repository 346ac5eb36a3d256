import { GatewayError } from '../../errors.ts';

/**
 * Whether a store failed over an upload that another Complete is at work on. Ceph RGW answers 500 to the second Complete;
 * Versity S3 Gateway answers it to whatever finds the folder of the upload renamed: to the Complete, and to the questions
 * what became of it. Whoever asks tries again, for the first Complete may have made the object.
 */
export function isBusyWithUpload(error: unknown): boolean {
  return (
    error instanceof GatewayError && error.code === 'BackendUnavailable' && error.details.backendStatus !== undefined
  );
}

/** @throws the error, unless it says that the store is busy with the upload */
export function undefinedIfBusy(error: unknown): undefined {
  if (isBusyWithUpload(error)) return undefined;
  throw error;
}
