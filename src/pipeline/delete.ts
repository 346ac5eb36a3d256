import { clientError } from '../errors.ts';
import type { ObjectDeleted, ObjectsDeleted } from '../operations/answer.ts';
import type { DeleteObject, DeleteObjects, DeleteTarget } from '../operations/operation.ts';
import { forEachOf } from './bounded-work.ts';
import { deleteCondition } from './etag-conditions.ts';
import type { OperationContext } from './services.ts';

/** In buckets with MD5 ETags what a condition names is looked up first. */
const LOOKS_AT_ONCE = 16;

export async function deleteObject(operation: DeleteObject, context: OperationContext): Promise<ObjectDeleted> {
  const { ref, conditions, vendor } = operation;
  if (conditions.ifMatch !== undefined) expectConditionalDeletes(context);
  const ifMatch = await deleteCondition(conditions.ifMatch, ref, context);
  const deleted = await context.services.store.delete(ref, { ifMatch }, context.signal, vendor);
  return { kind: 'ObjectDeleted', ...deleted };
}

export async function deleteObjects(operation: DeleteObjects, context: OperationContext): Promise<ObjectsDeleted> {
  const { bucket, targets, quiet, vendor } = operation;
  if (targets.some(({ etag }) => etag !== undefined)) expectConditionalDeletes(context);
  const known: DeleteTarget[] = [...targets];
  await forEachOf(targets, LOOKS_AT_ONCE, async (target, at) => {
    const { key, versionId, etag } = target;
    if (etag === undefined) return;
    known[at] = { ...target, etag: await deleteCondition(etag, { bucket, key, versionId }, context) };
  });
  const { deleted, failures } = await context.services.store.deleteMany(bucket, known, context.signal, vendor);
  return { kind: 'ObjectsDeleted', deleted: quiet ? [] : deleted, failures };
}

/**
 * MinIO reads no condition on a deletion and deletes whatever lies there. To compare first and delete then would delete
 * what somebody wrote in between, which is what the client wants to be safe from.
 */
function expectConditionalDeletes({ services }: OperationContext): void {
  if (services.conditionalDeletes) return;
  throw clientError(
    'NotImplemented',
    'Conditional deletions are not available: many stores ignore the condition and delete whatever lies there. ' +
      'If this backend does not, its operator can set backend.conditionalDeletes.',
  );
}
