import type { StoreDeletions } from '../dialects/backend-calls.ts';
import type { ForStore } from '../dialects/identifiers.ts';
import type { StoredDeletions } from '../dialects/store-exchange.ts';
import { GatewayError } from '../errors.ts';
import type { DeletedEntry, DeleteFailure } from '../operations/answer.ts';
import type { DeleteTarget } from '../operations/operation.ts';
import type { StoreCalls } from './calls.ts';

/**
 * Deletes many objects, in as few requests as the store's limit allows, or one by one if it has no request for many.
 * Each target is refused by itself, so that a key which the store cannot have does not keep the others from being
 * deleted.
 * @throws GatewayError if a whole request is refused
 */
export async function deleteMany(
  calls: StoreCalls,
  { bucket, targets, vendor }: Omit<StoreDeletions, 'targets'> & { readonly targets: readonly DeleteTarget[] },
  signal: AbortSignal,
): Promise<StoredDeletions> {
  const { calls: rows, limits } = calls.dialect;
  calls.made({ bucket });
  const deleted: DeletedEntry[] = [];
  const failures: DeleteFailure[] = [];
  const made = madeEach(calls, targets, failures);
  if (rows.deleteMany === undefined) {
    for (const target of made) await deleteOne(target);
    return { deleted, failures };
  }
  const refused = failures.splice(0);
  for (let at = 0; at < made.length; at += limits.deletionsAtOnce) {
    const asked = { bucket, targets: made.slice(at, at + limits.deletionsAtOnce), vendor };
    const done = await calls.run(rows.deleteMany, asked, { signal });
    deleted.push(...done.deleted);
    failures.push(...done.failures);
  }
  return { deleted, failures: [...failures, ...refused] };

  async function deleteOne({ key, versionId, etag }: DeleteTarget): Promise<void> {
    const conditions = etag === undefined ? {} : { ifMatch: etag };
    const asked = { ref: { bucket, key, versionId }, conditions, vendor };
    try {
      const { deleteMarker, versionId: markerId } = await calls.run(rows.delete, asked, { signal, conditions });
      const marker = deleteMarker ? { deleteMarker, deleteMarkerVersionId: markerId } : {};
      deleted.push({ key, versionId, ...marker });
    } catch (error) {
      failures.push(failureOf({ key, versionId }, error));
    }
  }
}

function madeEach(
  calls: StoreCalls,
  targets: readonly DeleteTarget[],
  failures: DeleteFailure[],
): ForStore<DeleteTarget>[] {
  const made: ForStore<DeleteTarget>[] = [];
  for (const target of targets) {
    try {
      made.push(calls.made(target));
    } catch (error) {
      failures.push({ ...failureOf(target, error), code: 'InvalidArgument' });
    }
  }
  return made;
}

/**
 * Returns what the client is told about a target that was not deleted.
 * @throws the error itself if it is no GatewayError
 */
function failureOf({ key, versionId }: DeleteTarget, error: unknown): DeleteFailure {
  if (!(error instanceof GatewayError)) throw error;
  return { key, versionId, code: error.code, message: error.message, said: error.said };
}
