import type { StoredObject } from '../../dialects/store-exchange.ts';
import { clientError, GatewayError } from '../../errors.ts';
import type { IdentifiedObject, ObjectDetails } from '../../formats/format.ts';
import type { ObjectRef, Tag } from '../../operations/object.ts';
import { ofOneObject } from '../../store/one-object.ts';
import { pinned } from '../../store/pin.ts';
import { judgeSource } from '../conditions/judge-read.ts';
import type { SourcePlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';

/** What a copy reads, verified as far as a HEAD verifies it. Whatever follows is pinned to exactly this object. */
export interface FoundSource {
  readonly object: IdentifiedObject;
  /** With the version that was found, where there are versions. */
  readonly ref: ObjectRef;
}

/** The same with what lies at the object's end. */
export interface SourceObject extends FoundSource {
  readonly details: ObjectDetails;
}

/**
 * Looks at a copy's source as a GET would: what it is, place and metadata, size, conditions.
 * @param context of whoever reads the source's bucket
 * @throws GatewayError what `identify` throws, NoSuchKey, PreconditionFailed, InvalidRequest (a delete marker)
 */
export function findSource(ref: ObjectRef, plan: SourcePlan, context: OperationContext): Promise<FoundSource> {
  return lookAt(ref, plan, context, async (found) => found);
}

/**
 * The same with its end: one that does not open is found before anything is copied, and not when the source is gone.
 */
export function readSource(ref: ObjectRef, plan: SourcePlan, context: OperationContext): Promise<SourceObject> {
  return lookAt(ref, plan, context, async (found) => ({ ...found, details: await found.object.details() }));
}

async function lookAt<T>(
  ref: ObjectRef,
  plan: SourcePlan,
  context: OperationContext,
  read: (found: FoundSource) => Promise<T>,
): Promise<T> {
  const stored = await headSource(ref, context);
  return ofOneObject({ ref, stored }, context, async () => {
    const object = await context.formats.identify({ ref, stored }, context);
    await judgeSource(plan, object, context);
    return read({ object, ref: { ...ref, versionId: ref.versionId ?? stored.versionId } });
  });
}

async function headSource(ref: ObjectRef, { store, signal }: OperationContext): Promise<StoredObject> {
  try {
    return await store.head({ ref, conditions: {} }, signal);
  } catch (error) {
    const code = error instanceof GatewayError ? error.code : undefined;
    if (code === 'MethodNotAllowed') {
      throw clientError(
        'InvalidRequest',
        'The source of a copy request may not specifically refer to a delete marker by version id.',
      );
    }
    // A HEAD has no body to say which of the two is missing, and a copy's answer must.
    if (code === 'NoSuchKey') await store.buckets.head(ref.bucket, signal);
    throw error;
  }
}

/** The source's tags, for a write that is no copy to the backend; a backend without tags has none. */
export async function sourceTags(ref: ObjectRef, { store, signal }: OperationContext): Promise<readonly Tag[]> {
  try {
    return await pinned(store.tags(ref, signal));
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'NotImplemented') return [];
    throw error;
  }
}
