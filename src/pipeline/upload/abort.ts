import { GatewayError } from '../../errors.ts';
import type { UploadAborted } from '../../operations/answer.ts';
import type { AbortMultipartUpload } from '../../operations/operation.ts';
import type { OperationContext } from '../context.ts';
import { madeObject } from './completed-before.ts';
import { noSuchUpload, type ReadUpload, withUpload } from './state.ts';

/**
 * AbortMultipartUpload: the backend's upload first, so that no part lands in it any more, then what the gateway keeps.
 * An upload whose state was lost can be aborted too, if the backend lists it for this very key.
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
    // Aborted before, and a crash came before the state was deleted.
    if (upload === undefined || !(error instanceof GatewayError) || error.code !== 'NoSuchUpload') throw error;
  });
  knownUploads.forget(operation);
  if (upload !== undefined) {
    // A Complete that was under way may have been first, and stores answer that as success too. S3's word for it is
    // NoSuchUpload; what the Complete keeps stays, for its client to ask again.
    if (await madeObject(upload, context)) throw noSuchUpload(operation, context);
    await uploads.delete(upload.id);
    await uploads.countOut(context.tenant.name, upload.id).catch(() => undefined);
    const staged = upload.parts.filter((part) => part.staged);
    await staging.remove(upload.id, staged, signal);
  }
  return { kind: 'UploadAborted' };
}
