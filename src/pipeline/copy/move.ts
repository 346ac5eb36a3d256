import type { StoredObject } from '../../dialects/store-exchange.ts';
import { clientError, GatewayError } from '../../errors.ts';
import type { ObjectCopied } from '../../operations/answer.ts';
import type { MoveObject } from '../../operations/move.ts';
import type { ObjectMetadata, ObjectRef, ObjectTraits } from '../../operations/object.ts';
import type { CopyObject } from '../../operations/operation.ts';
import { clientEtag } from '../../store/etag.ts';
import { mustStillStand } from '../../store/mend/unpinned-copies.ts';
import { isAbsence, ObjectReplaced, readingAgain } from '../../store/pin.ts';
import { planSource } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { copyFound } from './copy.ts';
import { isOnePlace } from './copy-in-place.ts';
import { headSource, readSource } from './copy-source.ts';
import { copyStored } from './copy-stored.ts';

/**
 * Carries out MoveObject: a copy within the bucket, and then the deletion of its source. An object that only its client
 * can open is moved unopened: its location claim alone is made anew (FORMAT.md §3.4). Stores have no such operation, so
 * for a moment both places have the object, and for longer where the gateway ends between the two.
 * @throws GatewayError InvalidRequest where both places are one, NotImplemented for another bucket, and what CopyObject
 *   and DeleteObject throw
 */
export async function moveObject({ ref, source }: MoveObject, context: OperationContext): Promise<ObjectCopied> {
  const from = source.ref;
  if (from.bucket !== ref.bucket) {
    throw clientError('NotImplemented', 'An object is moved within its bucket only. Copy it and delete it instead.');
  }
  if (isOnePlace(ref, from)) throw clientError('InvalidRequest', 'An object cannot be moved onto itself.');
  return readingAgain(async () => {
    const stored = await headSource(from, context);
    const unopened = await movedUnopened({ ref: from, stored }, ref, context);
    const moved =
      unopened === undefined
        ? await copyOpenable(ref, from, context)
        : await copyUnopened(ref, { from, stored, metadata: unopened }, context);
    await deleteMoved(from, moved.sourceEtag, context);
    return moved.answer;
  });
}

interface Moved {
  readonly answer: ObjectCopied;
  /** The backend's ETag of the object that was copied, unquoted. */
  readonly sourceEtag: string;
}

async function movedUnopened(
  found: { readonly ref: ObjectRef; readonly stored: StoredObject },
  place: ObjectRef,
  context: OperationContext,
): Promise<ObjectMetadata | undefined> {
  const { write } = context.formats;
  return write.isMarked(found.stored.metadata) ? write.movedUnopened?.(found, place, context) : undefined;
}

/** Copies an object that the tenant's keys open, encrypted as it is. */
async function copyOpenable(ref: ObjectRef, from: ObjectRef, context: OperationContext): Promise<Moved> {
  const source = await readSource(from, planSource({}), context);
  const { stored, askedAgain: asked } = source.object;
  const { tenant, policy, keySources } = context;
  const writing = asked === undefined ? context : { ...context, keys: keySources.open({ tenant, policy, asked }) };
  const operation = copying(ref, from, stored.metadata.traits);
  return { answer: await copyFound(operation, source, { reading: context, writing }), sourceEtag: stored.etag };
}

/** Copies an object that the gateway cannot open, with metadata for its new place. */
async function copyUnopened(
  ref: ObjectRef,
  {
    from,
    stored,
    metadata,
  }: { readonly from: ObjectRef; readonly stored: StoredObject; readonly metadata: ObjectMetadata },
  context: OperationContext,
): Promise<Moved> {
  const { content, user, traits } = metadata;
  const operation = copying(ref, from, traits);
  const source = { ref: { ...from, versionId: stored.versionId }, object: { stored } };
  const copied = await copyStored(operation, source, { content, user, traits: operation.traits }, context);
  const { versionId, vendor, lastModified } = copied;
  const answer: ObjectCopied = {
    kind: 'ObjectCopied',
    etag: clientEtag(copied.etag),
    lastModified,
    versionId,
    sourceVersionId: stored.versionId,
    checksum: undefined,
    encryption: { kind: 'customer', keyMd5: undefined },
    vendor,
  };
  return { answer, sourceEtag: stored.etag };
}

/** The copy by which an object is moved. A copy does not take storage class and redirect along by itself. */
function copying(ref: ObjectRef, from: ObjectRef, traits: ObjectTraits | undefined): CopyObject {
  const { storageClass, redirect } = traits ?? {};
  return {
    kind: 'CopyObject',
    ref,
    source: { ref: from, conditions: {} },
    replacement: undefined,
    tags: 'copy',
    checksumAlgorithm: undefined,
    traits: { storageClass, redirect },
    conditions: {},
  };
}

/**
 * Deletes the object that was moved, and no other: what another client has written there since stays. Over a store that
 * ignores conditions on deletions a moment remains in which such an object would be deleted.
 */
async function deleteMoved(
  from: ObjectRef,
  etag: string,
  { store, findings, signal }: OperationContext,
): Promise<void> {
  const held = findings.capabilities.conditionalDeletes;
  try {
    if (!held) await mustStillStand({ ref: from, etag }, store, signal);
    await store.delete(from, held ? { ifMatch: `"${etag}"` } : {}, signal);
  } catch (error) {
    if (!isOfAnotherObject(error)) throw error;
  }
}

function isOfAnotherObject(error: unknown): boolean {
  if (error instanceof ObjectReplaced || isAbsence(error)) return true;
  return error instanceof GatewayError && error.code === 'PreconditionFailed';
}
