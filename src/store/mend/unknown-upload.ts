import { clientError, GatewayError } from '../../errors.ts';

/**
 * Translates an error about an upload: Ceph RGW answers NoSuchKey for an upload that it does not have, which becomes
 * NoSuchUpload.
 * @throws always: the error, or its translation
 */
export function asNoSuchUpload(error: unknown): never {
  if (!(error instanceof GatewayError) || error.code !== 'NoSuchKey') throw error;
  throw clientError('NoSuchUpload', 'The specified multipart upload does not exist.', { details: error.details });
}
