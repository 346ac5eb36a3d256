import type { StoredObject } from '../../dialects/store-exchange.ts';
import { clientError, GatewayError } from '../../errors.ts';
import type { IdentifiedObject } from '../../formats/format.ts';
import type { ObjectDetails } from '../../formats/object-details.ts';
import type { ObjectRef, Tag } from '../../operations/object.ts';
import { ofOneObject } from '../../store/one-object.ts';
import { pinned } from '../../store/pin.ts';
import { judgeSource } from '../conditions/judge-read.ts';
import type { SourcePlan } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';

/** The source of a copy, verified as far as a HEAD verifies an object. Every later request is pinned to this object. */
export interface FoundSource {
  readonly object: IdentifiedObject;
  /** Its place, with the version that was found if the bucket has versions. */
  readonly ref: ObjectRef;
}

/** The source of a copy of stored bytes, which need not be opened for it. */
export interface StoredSource {
  readonly ref: ObjectRef;
  readonly object: IdentifiedObject | Pick<IdentifiedObject, 'stored' | 'storeKey'>;
}

/** The source of a copy with the details that its footer holds. */
export interface SourceObject extends FoundSource {
  readonly details: ObjectDetails;
}

/**
 * Looks at the source of a copy by a HEAD, identifies it as a GET would, and judges the conditions on it.
 * @param context the context for reading the source's bucket (authorizeSource)
 * @throws GatewayError NoSuchKey, NoSuchBucket, PreconditionFailed, InvalidRequest for a delete marker, and what
 *   `BucketFormats.identify` throws
 */
export function findSource(ref: ObjectRef, plan: SourcePlan, context: OperationContext): Promise<FoundSource> {
  return lookAt(ref, plan, context, async (found) => found);
}

/**
 * The same, and reads the source's footer. A footer that does not open is then noticed before anything is copied,
 * rather than after the source may have been deleted.
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

/** Looks at the source of a copy by a HEAD. @throws GatewayError NoSuchKey, NoSuchBucket, InvalidRequest */
export async function headSource(ref: ObjectRef, { store, signal }: OperationContext): Promise<StoredObject> {
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
    // The answer to a copy tells NoSuchKey from NoSuchBucket, but a HEAD's 404 has no body that does.
    if (code === 'NoSuchKey') await store.buckets.head(ref.bucket, signal);
    throw error;
  }
}

/** Reads the source's tags, for a copy that the gateway makes by other requests. A backend without tags has none. */
export async function sourceTags(ref: ObjectRef, { store, signal }: OperationContext): Promise<readonly Tag[]> {
  try {
    return await pinned(store.tags(ref, signal));
  } catch (error) {
    if (error instanceof GatewayError && error.code === 'NotImplemented') return [];
    throw error;
  }
}
