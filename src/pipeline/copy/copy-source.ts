import type { StoredObject } from '../../dialects/store-exchange.ts';
import type { Manifest } from '../../envelope/footer.ts';
import { clientError, GatewayError, type Proven } from '../../errors.ts';
import { identify, manifestOf, type PlainObject, provenLength, type SealedObject } from '../../formats/sx1/stored.ts';
import type { ObjectRef, Tag } from '../../operations/object.ts';
import type { CopySource } from '../../operations/operation.ts';
import { ObjectReplaced, pinned } from '../../store/pin.ts';
import { judgeSource } from '../conditions/judge-read.ts';
import { planSource } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';

/** What a copy reads, verified as far as a HEAD verifies it. Whatever follows is pinned to exactly this object. */
export interface FoundSource {
  readonly object: SealedObject | PlainObject;
  /** With the version that was found, where there are versions. */
  readonly ref: ObjectRef;
}

/**
 * Ceph RGW 16 copies whatever stands there by then, and not what a copy is pinned to: it would lie under another's
 * envelope, and nobody could read it.
 * @throws ObjectReplaced
 */
export async function mustStillStand({ ref, object }: FoundSource, { store, signal }: OperationContext): Promise<void> {
  const { etag } = await pinned(store.head({ ref, conditions: {} }, signal));
  if (etag !== object.stored.etag) throw new ObjectReplaced();
}

/** And its footer, undefined for an object that is not sealed. */
export interface SourceObject extends FoundSource {
  readonly manifest: Manifest | undefined;
  readonly plaintextBytes: Proven<number>;
}

/**
 * Looks at a copy's source as a GET would: envelope, place and metadata, size, conditions.
 * @param context of whoever reads the source's bucket
 * @throws GatewayError what `identify` throws, NoSuchKey, PreconditionFailed, InvalidRequest (a delete marker)
 */
export async function findSource(source: CopySource, context: OperationContext): Promise<FoundSource> {
  const stored = await headSource(source.ref, context);
  const object = await identify(source.ref, stored, context);
  await judgeSource(planSource(source.conditions), object, source.ref, context);
  const ref = { ...source.ref, versionId: source.ref.versionId ?? stored.versionId };
  return { object, ref };
}

/** A footer that does not open is found before anything is copied, and not when the source is gone. */
export async function readSource(source: CopySource, context: OperationContext): Promise<SourceObject> {
  const { object, ref } = await findSource(source, context);
  const manifest = object.kind === 'sealed' ? await pinned(manifestOf(object, ref, context)) : undefined;
  const plaintextBytes = await provenLength(object, ref, context);
  return { object, ref, manifest, plaintextBytes };
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
