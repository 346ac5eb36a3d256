import type { RelocatedObject } from '../../formats/object-details.ts';
import type { ObjectCopied } from '../../operations/answer.ts';
import { mayTellMd5 } from '../../operations/encryption.ts';
import type { ObjectMetadata } from '../../operations/object.ts';
import type { CopyObject } from '../../operations/operation.ts';
import { readingAgain } from '../../store/pin.ts';
import { authorizeSource } from '../admission/authorize.ts';
import { planSource } from '../conditions/plan.ts';
import type { OperationContext } from '../context.ts';
import { digestIn } from '../etags/shown-etag.ts';
import { crc64In, toldCrc64 } from '../read/told-crc64.ts';
import { etagAfterWrite } from '../write/write-answer.ts';
import { isWrittenAnew } from './copy-in-place.ts';
import { type CopiedObject, copyOpened } from './copy-opened.ts';
import { readSource, type SourceObject } from './copy-source.ts';
import { copyStored } from './copy-stored.ts';

/**
 * Carries out CopyObject (FORMAT.md §9). The source is verified as a GET verifies it. Then the backend copies the
 * ciphertext, pinned to the object that was verified, and the copy gets a new envelope. The bytes pass the gateway only
 * where source and destination are of different formats, where the client asks for a checksum that the source does not
 * have, or where a small object is copied onto itself (copy-in-place.ts).
 * @throws GatewayError what GET throws for the source, and what PUT throws for the destination
 */
export async function copyObject(operation: CopyObject, context: OperationContext): Promise<ObjectCopied> {
  const reading = authorizeSource(operation.source, context);
  const plan = planSource(operation.source.conditions);
  return readingAgain(async () => {
    const source = await readSource(operation.source.ref, plan, reading);
    return copyFound(operation, source, { reading, writing: context });
  });
}

/** Copies a source that was read already, pinned to it. @throws ObjectReplaced, and what `copyObject` throws */
export async function copyFound(
  operation: CopyObject,
  source: SourceObject,
  { reading, writing: context }: { readonly reading: OperationContext; readonly writing: OperationContext },
): Promise<ObjectCopied> {
  const metadata = copiedMetadata(operation, source);
  const relocated = await relocatedObject(operation, source, metadata, context);
  if (relocated !== undefined && !context.formats.write.asSent) context.foretell?.(relocated.encryption);
  const copied =
    relocated === undefined
      ? await copyOpened(operation, source, metadata, { reading, writing: context })
      : await copyStoredBytes(operation, source, relocated, { reading, writing: context });
  return {
    kind: 'ObjectCopied',
    etag: copied.shownEtag,
    lastModified: copied.lastModified,
    versionId: copied.versionId,
    sourceVersionId: source.object.stored.versionId,
    checksum: copied.checksum,
    crc64: copied.crc64,
    encryption: copied.encryption,
    vendor: copied.vendor,
  };
}

/**
 * Makes the metadata for a copy of the source's stored bytes. undefined where the stored bytes cannot be copied: then
 * the source must be opened and written anew.
 */
async function relocatedObject(
  operation: CopyObject,
  source: SourceObject,
  metadata: ObjectMetadata,
  context: OperationContext,
): Promise<RelocatedObject | undefined> {
  const { object } = source;
  if (object.format !== context.formats.write || !context.store.copies) return undefined;
  if (!hasAskedChecksum(operation, source) || isWrittenAnew(operation, source, context)) return undefined;
  const relocated = await object.relocated(operation.ref, metadata, context);
  if (relocated === undefined || context.policy.etag === 'opaque') return relocated;
  // The store gives a copy of the same bytes the same ETag. By that one gateways know the MD5, which they may tell of
  // only one of the two.
  return mayTellMd5(relocated.encryption) === mayTellMd5(object.encryption) ? relocated : undefined;
}

/** Has the backend copy the stored bytes. They include the footer, so the copy has the source's checksum and MD5. */
async function copyStoredBytes(
  operation: CopyObject,
  source: SourceObject,
  { metadata, encryption }: RelocatedObject,
  { reading, writing: context }: { readonly reading: OperationContext; readonly writing: OperationContext },
): Promise<CopiedObject> {
  const { details, object } = source;
  const crc64 = await (context.crc64 === 'kept' ? crc64In(details) : toldCrc64(object, reading, { details }));
  const copied = await copyStored(operation, source, metadata, context);
  const digest = digestIn({ ...details, crc64 }, object.id, encryption);
  const shownEtag = await etagAfterWrite(copied.etag, digest, operation.ref, context);
  return { ...copied, shownEtag, checksum: details.checksum, crc64, encryption };
}

/**
 * Whether a copy of the stored bytes has the checksum that the client asks for. It has the one in the source's footer.
 * Plain objects have no checksum in any case, so they are not opened for its sake.
 */
function hasAskedChecksum({ checksumAlgorithm }: CopyObject, { object, details }: SourceObject): boolean {
  if (checksumAlgorithm === undefined || object.format.asSent) return true;
  const held = details.checksum;
  return held?.algorithm === checksumAlgorithm && held.parts === undefined;
}

/**
 * The copy's metadata in the client's terms. ACL, storage class, locks and redirects come from the request and never
 * from the source, because S3 does not copy them.
 */
function copiedMetadata({ replacement, vendor, traits }: CopyObject, { object }: SourceObject): ObjectMetadata {
  const { content, user } = replacement ?? object.stored.metadata;
  return { content, user, vendor, traits };
}
