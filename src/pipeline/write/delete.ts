import { type ErrorCode, GatewayError } from '../../errors.ts';
import type { DeletedEntry, DeleteFailure, ObjectDeleted, ObjectsDeleted } from '../../operations/answer.ts';
import type { DeleteObject, DeleteObjects, DeleteTarget } from '../../operations/operation.ts';
import { forEachOf } from '../../shares/bounded-work.ts';
import type { DeletePlan } from '../conditions/plan.ts';
import { deletePlanOf, deletionToSend, mustBeHeldTo } from '../conditions/write-conditions.ts';
import type { OperationContext } from '../context.ts';

/**
 * How many objects DeleteObjects looks at at once. In buckets with MD5 ETags, a condition takes a look at the object.
 */
const LOOKS_AT_ONCE = 16;

/** Carries out DeleteObject. @throws GatewayError NotImplemented, PreconditionFailed, and what the store throws */
export async function deleteObject(operation: DeleteObject, context: OperationContext): Promise<ObjectDeleted> {
  const { ref, conditions, vendor } = operation;
  const ifMatch = await deletionToSend(deletePlanOf(conditions.ifMatch, context), ref, context);
  const deleted = await context.store.delete(ref, { ifMatch }, context.signal, vendor);
  return { kind: 'ObjectDeleted', ...deleted };
}

/**
 * Carries out DeleteObjects. The store is asked for one batch after the other, and failures of single objects are part
 * of the answer.
 * @throws GatewayError NotImplemented for a condition that the store would ignore, and what the store throws
 */
export async function deleteObjects(operation: DeleteObjects, context: OperationContext): Promise<ObjectsDeleted> {
  const { bucket, targets, quiet, vendor } = operation;
  const plans = targets.map(({ etag }) => deletePlanOf(etag, context));
  for (const plan of plans) mustBeHeldTo(plan, context); // all are checked before any object is deleted
  const known: DeleteTarget[] = [...targets];
  await forEachOf(targets, LOOKS_AT_ONCE, async (target, at) => {
    const { key, versionId, etag } = target;
    if (etag === undefined) return;
    const condition = deletionToSend(plans[at] as DeletePlan, { bucket, key, versionId }, context);
    known[at] = { ...target, etag: await condition.catch(unchangedIfUnnameable(etag)) };
  });
  const deleted: DeletedEntry[] = [];
  const failures: DeleteFailure[] = [];
  for (const some of inBatches(known)) {
    const release = context.budget.reserve(DOCUMENT_FORMS * documentBytes(some));
    try {
      const done = await context.store.deleteMany(bucket, some, context.signal, vendor);
      if (!quiet) deleted.push(...done.deleted);
      failures.push(...done.failures);
    } finally {
      release();
    }
  }
  return { kind: 'ObjectsDeleted', deleted, failures };
}

/**
 * The longest document of one request to the store. Stores limit it: Versity S3 Gateway 1.8.0 takes 4 MiB. What most
 * clients delete at once fits in one request.
 */
const BATCH_BYTES = 2 * 1024 * 1024;
/** How many times the document is held in memory: as text and as bytes. */
const DOCUMENT_FORMS = 2;
/** The most bytes that a character of a name takes in XML, where it is written as a character reference. */
const REFERENCE_BYTES = 6;
/** The bytes of the XML tags around a key, a version id and an ETag. */
const TAG_BYTES = 100;

function* inBatches(targets: readonly DeleteTarget[]): Generator<readonly DeleteTarget[]> {
  let batch: DeleteTarget[] = [];
  let bytes = 0;
  for (const target of targets) {
    const more = documentBytes([target]);
    if (bytes + more > BATCH_BYTES) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(target);
    bytes += more;
  }
  yield batch;
}

/** The most bytes that these targets may take in the document. */
function documentBytes(targets: readonly DeleteTarget[]): number {
  return targets.reduce((bytes, { key, versionId = '', etag = '' }) => {
    return bytes + TAG_BYTES + REFERENCE_BYTES * (key.length + versionId.length + etag.length);
  }, 0);
}

/** Skips the look at an object whose key the store cannot have. `Store.deleteMany` then reports it as a failure. */
function unchangedIfUnnameable(etag: string): (error: unknown) => string {
  return (error) => {
    if (error instanceof GatewayError && UNNAMEABLE.has(error.code)) return etag;
    throw error;
  };
}

const UNNAMEABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['InvalidObjectName', 'InvalidArgument']);
