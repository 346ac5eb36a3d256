import type { ObjectMetadata, ObjectRef } from '../../operations/object.ts';
import type { CopyObject } from '../../operations/operation.ts';
import { clientEtag } from '../../store/etag.ts';
import { readingAgain } from '../../store/pin.ts';
import { planSource } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { RequestTrace } from '../trace.ts';
import { copyFound } from './copy.ts';
import { readSource, type SourceObject } from './copy-source.ts';

/** An object as a repair finds it: envelope, place, size and footer are authentic, whatever its metadata. */
export interface FoundObject {
  /** `plain` is not sealed; of `changed` the metadata tag does not hold. */
  readonly state: 'plain' | 'sound' | 'changed';
  /** What is there now, in the client's terms. */
  readonly metadata: ObjectMetadata;
  readonly source: SourceObject;
}

/** @throws GatewayError as GET does for what is wrong with more than the metadata */
export function lookAtMetadata(ref: ObjectRef, context: OperationContext): Promise<FoundObject> {
  return readingAgain(async () => {
    const reading = lenient(context);
    const source = await readSource(ref, planSource({}), reading);
    const { format, stored } = source.object;
    const changed = reading.trace.warnings?.includes('metadata') === true;
    return { state: format.asSent ? 'plain' : changed ? 'changed' : 'sound', metadata: stored.metadata, source };
  });
}

/** What reads objects whatever their metadata, and tells apart whose was changed. */
function lenient(context: OperationContext): OperationContext {
  return { ...context, policy: { ...context.policy, metadata: 'warn' }, trace: new RequestTrace() };
}

/**
 * Seals a found object anew under the metadata that is there now, by a copy onto itself (copy-in-place.ts): nothing is
 * replaced but the very object that was found.
 * @throws GatewayError SlowDown or PreconditionFailed when another object stands there by now, NotImplemented over a
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
    // They stand beside the object in the store, and would not be there after a copy.
    traits: { storageClass, redirect },
    conditions: { ifMatch: `"${clientEtag(source.object.stored.etag)}"` },
  };
  await copyFound(operation, source, { reading: lenient(context), writing: context });
}
