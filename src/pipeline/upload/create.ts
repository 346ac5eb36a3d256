import { newEnvelope } from '../../formats/sx1/sealing.ts';
import type { UploadCreated } from '../../operations/answer.ts';
import type { CreateMultipartUpload } from '../../operations/operation.ts';
import { UploadRecords } from '../../uploads/upload-record.ts';
import type { OperationContext } from '../context.ts';
import { stateIdOf } from './state.ts';

/**
 * CreateMultipartUpload (FORMAT.md §6): the backend's upload bears the envelope in its metadata from the start, and its
 * id is the client's. After a crash between the two steps the backend's upload is an orphan that nobody can add to.
 */
export async function createUpload(
  operation: CreateMultipartUpload,
  context: OperationContext,
): Promise<UploadCreated> {
  const { knownUploads, now, randomBytes, store, uploadKeepSeconds, uploadQuota, uploads, tenant, policy, signal } =
    context;
  const { ref, metadata, checksum } = operation;
  if (policy.protection === 'none') {
    const upload = await store.uploads.create(ref, metadata, signal);
    knownUploads.remember(upload);
    return { kind: 'UploadCreated', ref, uploadId: upload.uploadId, checksum: undefined };
  }
  await uploadQuota.admit(tenant.name);
  const object = await newEnvelope(ref, metadata, undefined, context);
  const upload = await store.uploads.create(ref, object.metadata, signal);
  const { uploadId } = upload;
  const id = stateIdOf({ ref, uploadId }, context);
  const records = new UploadRecords({ id, keys: object.keys, randomBytes: randomBytes });
  const header = records.sealHeader(object.envelope, { createdAt: now(), checksum });
  try {
    await Promise.all([
      uploads.create(id, [header], uploadKeepSeconds),
      uploads.countIn(tenant.name, id, uploadKeepSeconds),
    ]);
  } catch (error) {
    // The client's signal may have ended already; the abort must go out all the same.
    await store.uploads.abort(upload, new AbortController().signal).catch(() => undefined);
    throw error;
  }
  return { kind: 'UploadCreated', ref, uploadId, checksum };
}
