import { checksumIn } from '../../formats/sx1/stored.ts';
import type { ObjectCopied } from '../../operations/answer.ts';
import type { ObjectMetadata } from '../../operations/object.ts';
import type { CopyObject } from '../../operations/operation.ts';
import { readingAgain } from '../../store/pin.ts';
import { authorizeSource } from '../admission/authorize.ts';
import type { OperationContext } from '../context.ts';
import { digestIn } from '../etags/shown-etag.ts';
import { writtenEtag } from '../write/write-answer.ts';
import { isWrittenAnew } from './copy-in-place.ts';
import { type CopiedObject, copyOpened } from './copy-opened.ts';
import { readSource, type SourceObject } from './copy-source.ts';
import { copyStored } from './copy-stored.ts';

/**
 * CopyObject (FORMAT.md §9). The source is verified as a GET verifies it; then the backend copies its ciphertext under
 * a new envelope, pinned to the object that was verified. Only where source and destination are not protected alike,
 * where the client asks for a checksum that nobody has computed, or where a small object is copied onto itself, do the
 * bytes come through the gateway.
 */
export async function copyObject(operation: CopyObject, context: OperationContext): Promise<ObjectCopied> {
  const reading = authorizeSource(operation.source, context);
  return readingAgain(() => attemptCopy(operation, reading, context));
}

async function attemptCopy(
  operation: CopyObject,
  reading: OperationContext,
  context: OperationContext,
): Promise<ObjectCopied> {
  const source = await readSource(operation.source, reading);
  return copyFound(operation, source, { reading, writing: context });
}

/** A copy of a source that was read already, and is pinned. @throws what copyObject throws */
export async function copyFound(
  operation: CopyObject,
  source: SourceObject,
  { reading, writing: context }: { readonly reading: OperationContext; readonly writing: OperationContext },
): Promise<ObjectCopied> {
  const metadata = copiedMetadata(operation, source);
  const asItLies =
    isProtectedAlike(source, context) &&
    hasAskedChecksum(operation, source) &&
    !isWrittenAnew(operation, source, context);
  const copied = asItLies
    ? await copyAsItLies(operation, source, metadata, context)
    : await copyOpened(operation, source, metadata, { reading, writing: context });
  return {
    kind: 'ObjectCopied',
    etag: copied.shownEtag,
    lastModified: copied.lastModified,
    versionId: copied.versionId,
    sourceVersionId: source.object.stored.versionId,
    checksum: copied.checksum,
    vendor: copied.vendor,
  };
}

/** What the footer says, checksum and MD5, was copied with it. */
async function copyAsItLies(
  operation: CopyObject,
  source: SourceObject,
  metadata: ObjectMetadata,
  context: OperationContext,
): Promise<CopiedObject> {
  const { manifest, object } = source;
  const copied = await copyStored(operation, source, metadata, context);
  const digest = manifest && object.kind === 'sealed' ? digestIn(manifest, object.opened.head.oid) : undefined;
  const shownEtag = await writtenEtag(copied.etag, digest, operation.ref, context);
  return { ...copied, shownEtag, checksum: manifest && checksumIn(manifest) };
}

/** Whether the stored bytes are what the destination's policy would have made of the plaintext. */
function isProtectedAlike({ object }: SourceObject, { policy, tenant }: OperationContext): boolean {
  // An empty object makes no part of an upload, which some copies are: writing it anew costs no more.
  if (object.kind === 'plain') return policy.protection === 'none' && object.stored.storedBytes > 0;
  const { quantum, keyRingId } = object.opened.head;
  // Another quantum would make another size of the same plaintext: listings could not tell it (FORMAT.md §5).
  return policy.protection === 'seal' && quantum === policy.quantum && keyRingId === tenant.ringId;
}

/** The checksum lies in the sealed footer, which no copy changes. Without protection none is kept. */
function hasAskedChecksum({ checksumAlgorithm }: CopyObject, { object, manifest }: SourceObject): boolean {
  if (checksumAlgorithm === undefined || object.kind === 'plain') return true;
  const held = manifest?.checksum;
  return held?.algorithm === checksumAlgorithm && held.composite !== true;
}

/** In the client's terms. ACL, storage class, locks and redirects are never the source's: S3 does not copy them. */
function copiedMetadata({ replacement, vendor, traits }: CopyObject, { object }: SourceObject): ObjectMetadata {
  const { content, user } = replacement ?? object.stored.metadata;
  return { content, user, vendor, traits };
}
