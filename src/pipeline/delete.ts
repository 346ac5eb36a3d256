import type { ObjectDeleted, ObjectsDeleted } from '../operations/answer.ts';
import type { DeleteObject, DeleteObjects } from '../operations/operation.ts';
import type { OperationContext } from './services.ts';
import { readConditions } from './stored.ts';

export async function deleteObject(operation: DeleteObject, context: OperationContext): Promise<ObjectDeleted> {
  const { store } = context.services;
  const deleted = await store.delete(operation.ref, readConditions(operation.conditions), context.signal);
  return { kind: 'ObjectDeleted', ...deleted };
}

export async function deleteObjects(operation: DeleteObjects, context: OperationContext): Promise<ObjectsDeleted> {
  const { bucket, targets, quiet } = operation;
  const { deleted, failures } = await context.services.store.deleteMany(bucket, targets, context.signal);
  return { kind: 'ObjectsDeleted', deleted: quiet ? [] : deleted, failures };
}
