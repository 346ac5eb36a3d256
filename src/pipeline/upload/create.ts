import { clientError, type GatewayError } from '../../errors.ts';
import type { UploadCreated } from '../../operations/answer.ts';
import type { CreateMultipartUpload } from '../../operations/operation.ts';
import { UploadRecords } from '../../uploads/upload-record.ts';
import type { OperationContext } from '../context.ts';
import { stateIdOf } from './state.ts';

/**
 * Carries out CreateMultipartUpload (FORMAT.md §6). First the backend's upload is created, with the object's metadata
 * and envelope; clients use its upload id. Then the gateway's state of it is written. If the gateway crashes in
 * between, the backend's upload is an orphan: without a state, no part can be added.
 * @throws GatewayError NotImplemented, KeyUnavailable, KeyStoreUnavailable, what the quota throws, and what the store
 *   throws
 */
export async function createUpload(
  operation: CreateMultipartUpload,
  context: OperationContext,
): Promise<UploadCreated> {
  const { formats, knownUploads, now, randomBytes, store, uploadKeepSeconds, uploadQuota, uploads, tenant, signal } =
    context;
  const { ref, metadata, checksum } = operation;
  const format = formats.write;
  if (format.asSent) {
    const upload = await store.uploads.create(ref, metadata, signal);
    knownUploads.remember(upload);
    const { uploadId } = upload;
    return { kind: 'UploadCreated', ref, uploadId, checksum: undefined, encryption: store.encrypter?.toldOfNew };
  }
  if (format.uploads === undefined) throw withoutUploads();
  await uploadQuota.admit(tenant.name);
  const begun = await format.uploads.begin(operation, context);
  const { writer } = begun;
  const upload = await store.uploads.create(ref, begun.metadata, signal);
  const { uploadId } = upload;
  const id = stateIdOf({ ref, uploadId }, context);
  const records = new UploadRecords({ id, keys: writer, randomBytes });
  const header = records.sealHeader(writer.header, { createdAt: now(), checksum });
  try {
    await Promise.all([
      uploads.create(id, [header], uploadKeepSeconds),
      uploads.countIn(tenant.name, id, uploadKeepSeconds),
    ]);
  } catch (error) {
    // The abort has a signal of its own, because the client's may have ended.
    await store.uploads.abort(upload, new AbortController().signal).catch(() => undefined);
    throw error;
  }
  return { kind: 'UploadCreated', ref, uploadId, checksum, encryption: writer.encryption };
}

function withoutUploads(): GatewayError {
  return clientError(
    'NotImplemented',
    'Objects of this bucket cannot be sent in parts. Send the object in one request.',
  );
}
