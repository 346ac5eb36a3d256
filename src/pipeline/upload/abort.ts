import { GatewayError } from '../../errors.ts';
import type { UploadAborted } from '../../operations/answer.ts';
import type { AbortMultipartUpload } from '../../operations/operation.ts';
import type { OperationContext } from '../context.ts';
import { hasMadeObject } from './completed-before.ts';
import { noSuchUpload, type ReadUpload, withUpload } from './state.ts';

/**
 * Carries out AbortMultipartUpload. The backend's upload is aborted first, so that no part can be added any more; then
 * the gateway deletes its state and the staged parts. An upload whose state was lost can be aborted as well, if the
 * backend lists it for this key.
 * @throws GatewayError NoSuchUpload, KeyStoreUnavailable, and what the store throws
 */
export function abortUpload(operation: AbortMultipartUpload, context: OperationContext): Promise<UploadAborted> {
  return withUpload(operation, context, (upload) => abort(operation, upload, context));
}

async function abort(
  operation: AbortMultipartUpload,
  upload: ReadUpload | undefined,
  context: OperationContext,
): Promise<UploadAborted> {
  const { knownUploads, staging, store, uploads, signal } = context;
  if (upload?.completed !== undefined) throw noSuchUpload(operation, context);
  const proven = upload?.proven ?? (await knownUploads.prove(operation, store, signal));
  await store.uploads.abort(proven, signal).catch((error: unknown) => {
    // An earlier abort may have reached the backend, and the gateway crashed before it deleted the state.
    if (upload === undefined || !(error instanceof GatewayError) || error.code !== 'NoSuchUpload') throw error;
  });
  knownUploads.forget(operation);
  if (upload !== undefined) {
    // A Complete may have come first; some stores answer the abort with success even then. S3 answers NoSuchUpload. The
    // state stays, so that the client of the Complete can repeat its request.
    if (await hasMadeObject(upload, context)) throw noSuchUpload(operation, context);
    await uploads.delete(upload.id);
    await uploads.countOut(context.tenant.name, upload.id).catch(() => undefined);
    const staged = upload.parts.filter((part) => part.staged);
    await staging.remove(upload.id, staged, signal);
  }
  return { kind: 'UploadAborted' };
}
