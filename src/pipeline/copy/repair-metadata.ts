import type { ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import type { CopyObject } from '../../operations/operation.ts';
import { clientEtag } from '../../store/etag.ts';
import { readingAgain } from '../../store/pin.ts';
import { planSource } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { RequestTrace } from '../trace.ts';
import { copyFound } from './copy.ts';
import { readSource, type SourceObject } from './copy-source.ts';

/**
 * What a repair finds out about an object. Envelope, place, size and footer were authenticated; the metadata may have
 * been changed in the store.
 */
export interface FoundObject {
  /**
   * - `plain`: the object is not sealed, so nothing tells whether its metadata were changed.
   * - `sound`: the metadata are those that were sealed.
   * - `changed`: the metadata are not those that the envelope authenticates.
   */
  readonly state: 'plain' | 'sound' | 'changed';
  /** The metadata that the object has now, in the client's terms. */
  readonly metadata: ObjectMetadata;
  readonly source: SourceObject;
}

/**
 * Looks whether an object's metadata were changed in the store.
 * @throws GatewayError what GET throws, where more than the metadata is wrong
 */
export function lookAtMetadata(ref: ObjectRef, context: OperationContext): Promise<FoundObject> {
  return readingAgain(async () => {
    const reading = lenient(context);
    const source = await readSource(ref, planSource({}), reading);
    const { format, stored } = source.object;
    const changed = reading.trace.warnings?.includes('metadata') === true;
    return { state: format.asSent ? 'plain' : changed ? 'changed' : 'sound', metadata: stored.metadata, source };
  });
}

/** A context that also reads objects whose metadata were changed, and notes that in a trace of its own. */
function lenient(context: OperationContext): OperationContext {
  return { ...context, policy: { ...context.policy, metadata: 'warn' }, trace: new RequestTrace() };
}

/** A context whose new objects are encrypted as the object that was found, under the same KMS key and context. */
function underItsKey({ object }: SourceObject, context: OperationContext): OperationContext {
  const { tenant, policy, keySources } = context;
  const asked = object.askedAgain;
  return asked === undefined ? context : { ...context, keys: keySources.open({ tenant, policy, asked }) };
}

/**
 * Seals an object again with the metadata that it has now, by a copy onto itself (copy-in-place.ts). Only the object
 * that was found is replaced, never one that was written since.
 * @throws GatewayError SlowDown or PreconditionFailed where another object is there by now, NotImplemented over a
 *   store that does not hold to conditions when an upload completes, and what CopyObject throws
 */
export async function repairMetadata(ref: ObjectRef, found: FoundObject, context: OperationContext): Promise<void> {
  const { source, metadata } = found;
  const { storageClass, redirect } = metadata.traits ?? {};
  const operation: CopyObject = {
    kind: 'CopyObject',
    ref,
    source: { ref, conditions: {} },
    replacement: undefined,
    tags: 'copy',
    checksumAlgorithm: undefined,
    // The store keeps storage class and redirect beside the object, and a copy would not take them along by itself.
    traits: { storageClass, redirect },
    conditions: { ifMatch: `"${clientEtag(source.object.stored.etag)}"` },
  };
  await copyFound(operation, source, { reading: lenient(context), writing: underItsKey(source, context) });
}
